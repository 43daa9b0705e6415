// Reads one revision of a projection, whole, however long it takes: read-revision PATH
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// holdRevision gives the directory of the revision that is shown now. It stays until the file is closed.
func holdRevision(path, link string) (string, *os.File, error) {
	for {
		target, err := os.Readlink(filepath.Join(path, link))
		if err != nil {
			return "", nil, err
		}
		directory := filepath.Join(path, target)
		held, err := os.Open(directory)
		if os.IsNotExist(err) {
			continue // gone between the look and the open
		}
		if err != nil {
			return "", nil, err
		}
		if syscall.Flock(int(held.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil && inPlace(held, directory) {
			return directory, held, nil
		}
		held.Close()
		time.Sleep(5 * time.Millisecond)
	}
}

// The pruner renames while it holds the lock: what we hold may have left its place.
func inPlace(held *os.File, directory string) bool {
	ours, err := held.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(directory)
	return err == nil && os.SameFile(ours, there)
}

func main() {
	directory, held, err := holdRevision(os.Args[1], "..data")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer held.Close()
	fmt.Println(directory)
	bufio.NewReader(os.Stdin).ReadString('\n')
	filepath.Walk(directory, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Println(string(content))
		return err
	})
}
