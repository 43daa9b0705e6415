// The watchers of Go programs, each by the scheme of its source: fsnotify alone, viper, controller-runtime's certwatcher,
// the kubelet's static manifests, and Prow's poll. Each watch is one argument, as JSON: {id, how, watch, base, files}.
// Prints `ID SEQ` for each reading, `ID mixed`, `ID unreadable`.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/viper"
)

type watch struct {
	ID    string   `json:"id"`
	How   string   `json:"how"`
	Watch string   `json:"watch"`
	Base  string   `json:"base"`
	Files []string `json:"files"`
}

var (
	text     = regexp.MustCompile(`^seq (\d+)\n-+\nend (\d+)\n$`)
	printing sync.Mutex
)

func main() {
	for _, argument := range os.Args[1:] {
		var w watch
		if err := json.Unmarshal([]byte(argument), &w); err != nil {
			panic(err)
		}
		switch w.How {
		case "fsnotify":
			go followByFsnotify(w)
		case "viper":
			go followByViper(w)
		case "certwatcher":
			go followCertificate(w)
		case "kubelet":
			go followManifests(w)
		case "prow":
			go pollJobs(w)
		default:
			panic(w.How)
		}
	}
	select {}
}

func say(id, word string) {
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(id, word)
}

// A watch of a file ends with its inode, so Remove and Rename add the path again, as fsnotify's FAQ says.
func followByFsnotify(w watch) {
	watcher := newWatcher()
	must(watcher.Add(w.Watch))
	w.report()
	for event := range watcher.Events {
		if filepath.Clean(event.Name) == filepath.Clean(w.Watch) && event.Op&(fsnotify.Remove|fsnotify.Rename) != 0 {
			addAgain(watcher, w.Watch)
		}
		// One reading for all events that have come.
		if len(watcher.Events) == 0 {
			w.report()
		}
	}
}

func addAgain(watcher *fsnotify.Watcher, path string) {
	for attempt := 0; attempt < 20; attempt++ {
		if watcher.Add(path) == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func followByViper(w watch) {
	v := viper.New()
	v.SetConfigFile(w.Watch)
	must(v.ReadInConfig())
	report := func() {
		first, last := v.GetString("first"), v.GetString("last")
		if first == "" || first != last {
			first = "mixed"
		}
		say(w.ID, first)
	}
	v.OnConfigChange(func(fsnotify.Event) { report() })
	v.WatchConfig()
	report()
}

// sigs.k8s.io/controller-runtime pkg/certwatcher, handleEvent, as it was before it also polled: certificate and key are
// watched as files, and Remove watches the path again. A pair that does not match is an error, and the old one stays.
func followCertificate(w watch) {
	watcher := newWatcher()
	for _, file := range w.Files {
		must(watcher.Add(file))
	}
	w.reportPair()
	for event := range watcher.Events {
		switch {
		case event.Op&(fsnotify.Write|fsnotify.Create) != 0:
		case event.Op&fsnotify.Remove != 0:
			addAgain(watcher, event.Name)
		default:
			continue
		}
		w.reportPair()
	}
}

// kubernetes pkg/kubelet/config/file_linux.go: the folder is watched, names that begin with a dot are ignored, created and
// written files are read, and every 20 s the folder is listed.
func followManifests(w watch) {
	watcher := newWatcher()
	must(watcher.Add(w.Watch))
	list := time.NewTicker(20 * time.Second)
	w.report()
	for {
		select {
		case event := <-watcher.Events:
			if strings.HasPrefix(filepath.Base(event.Name), ".") {
				continue
			}
			if event.Op&(fsnotify.Create|fsnotify.Write|fsnotify.Chmod) != 0 {
				w.report()
			}
		case <-list.C:
			w.report()
		}
	}
}

// Prow, pkg/config/agent.go Start: each second the modification time of the path; a later one loads. pkg/config/config.go
// ReadJobConfig: filepath.Walk, which follows no links, skips folders whose name begins with "..", and reads by path.
func pollJobs(w watch) {
	var last time.Time
	for {
		if found, err := os.Stat(w.Watch); err == nil && found.ModTime().After(last) {
			last = found.ModTime()
			w.reportWalk()
		}
		time.Sleep(time.Second)
	}
}

func (w watch) reportWalk() {
	wanted := map[string]bool{}
	for _, name := range w.Files {
		wanted[name] = true
	}
	var seqs []string
	err := filepath.Walk(w.Watch, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return nil
		}
		if info.IsDir() {
			if strings.HasPrefix(info.Name(), "..") {
				return filepath.SkipDir
			}
			return nil
		}
		name, _ := filepath.Rel(w.Watch, path)
		if !wanted[name] {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seqs = append(seqs, seqOf(content))
		return nil
	})
	switch {
	case err != nil:
		say(w.ID, "unreadable")
	case len(seqs) < len(w.Files):
		say(w.ID, fmt.Sprintf("lacks %d of %d", len(w.Files)-len(seqs), len(w.Files)))
	default:
		say(w.ID, same(seqs))
	}
}

func (w watch) report() {
	for attempt := 0; attempt < 20; attempt++ {
		seqs, err := w.read()
		if err == nil {
			say(w.ID, same(seqs))
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	say(w.ID, "unreadable")
}

// A pair of two revisions is refused, as tls.X509KeyPair does, and the pair before stays in use.
func (w watch) reportPair() {
	seqs, err := w.read()
	if err != nil {
		return
	}
	if word := same(seqs); word != "mixed" || seqs[0] == "" || seqs[1] == "" {
		say(w.ID, word)
	}
}

// What files of one folder say, opened once, so that all are read beneath the same inode; without a folder, by path.
func (w watch) read() ([]string, error) {
	prefix := ""
	if w.Base != "" {
		folder, err := os.Open(w.Base)
		if err != nil {
			return nil, err
		}
		defer folder.Close()
		prefix = fmt.Sprintf("/proc/self/fd/%d/", folder.Fd())
	}
	var seqs []string
	for _, name := range w.Files {
		file, err := os.Open(prefix + name)
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			return nil, err
		}
		seqs = append(seqs, seqOf(content))
	}
	return seqs, nil
}

func seqOf(content []byte) string {
	match := text.FindSubmatch(content)
	if match == nil || string(match[1]) != string(match[2]) {
		return ""
	}
	return string(match[1])
}

func same(seqs []string) string {
	for _, seq := range seqs {
		if seq == "" || seq != seqs[0] {
			return "mixed"
		}
	}
	return seqs[0]
}

func newWatcher() *fsnotify.Watcher {
	watcher, err := fsnotify.NewWatcher()
	must(err)
	return watcher
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
