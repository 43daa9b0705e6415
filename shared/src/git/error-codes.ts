import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `git` declares, as docs/reference/errors.md explains them. */
export const gitErrors = {
  "git/absent": {
    meaning:
      "A partial clone has not fetched the content of a file. Targets that would hold it keep their last good content.",
    cause: "A clone with --filter, often a sparse one.",
    remedy: "Clone without --filter, or follow the repository as a source.",
  },
  "git/answer-too-large": {
    meaning:
      "GitHub's API, or what is before it, answered with more bytes than `bounds.answer`; nothing of it is used.",
    cause: "A proxy that does not end its answers, or a wrong `github.apiUrl`.",
    remedy: "Check what `github.apiUrl` leads to, or raise `bounds.answer`.",
  },
  "git/auth-failed": {
    meaning: "The git server did not accept the login, or there is none to give.",
    cause:
      "An expired or wrong token or key, a secret file that is missing or empty, or no right to read the repository.",
    remedy: "Check the source's auth: the file must hold a token or key that may read this repository.",
  },
  "git/bad-auth": {
    meaning: "The login of a source is set in a way that cannot work.",
    cause:
      "Several of tokenFile, sshKeyFile and githubApp, or githubApp for a program that does not log in as one.",
    remedy: "Keep one of tokenFile, sshKeyFile and githubApp; for the agent use one of the first two.",
  },
  "git/bad-branch": {
    meaning: "A name cannot be that of a branch.",
    cause: '"refs/heads/" or "origin/" in front, or characters that git forbids.',
    remedy: "Give the branch alone, such as main.",
  },
  "git/bad-commit": {
    meaning: "A commit is not named by its full id.",
    cause: "An abbreviated id or a branch's name.",
    remedy: "Give the full id: git rev-parse COMMIT prints it.",
  },
  "git/bad-id": {
    meaning: "Something that is not a full object id was asked of git; it is not passed on.",
    cause: "A fault in Headrace, or a record that somebody edited.",
    remedy: "Run headrace-bootstrapper status to see the record; report it when the record is sound.",
  },
  "git/bad-name": {
    meaning: "A source's name cannot be that of a folder for its mirror.",
    cause: '"/" or a leading "." or "-" in the name.',
    remedy: "Rename the source to letters, digits, -, _ and ., with a letter or digit first.",
  },
  "git/bad-object": {
    meaning: "The server sent an object that git's own check refuses. Nothing of that fetch is used.",
    cause: "An old tool made a malformed commit or tree; or somebody sends crafted objects.",
    remedy:
      "Check the repository with git fsck. Name a fault that is known and harmless in the source's fsckIgnore, by git's name for it.",
  },
  "git/bad-path": {
    meaning: "A path of the tree cannot be shown. Targets that could hold it keep their last good content.",
    cause: 'A name that is not UTF-8, or has a part that is empty, "." or "..".',
    remedy: "Rename the file.",
  },
  "git/bad-tag": {
    meaning: "A name cannot be that of a tag.",
    cause: '"refs/tags/" in front, or characters that git forbids.',
    remedy: "Give the tag alone, such as v1.2.",
  },
  "git/branch-missing": {
    meaning: "The repository has no such branch or tag.",
    cause: "The branch was renamed or removed, or the settings have a slip.",
    remedy: "Correct the source's branch or tag; after a rename of the default branch, rename it here too.",
  },
  "git/closed": {
    meaning: "The mirror was closed while something was still read from it.",
    cause: "The program ends, or its settings changed.",
    remedy: "Run it again; nothing is lost.",
  },
  "git/commit-missing": {
    meaning: "The server does not give the commit that was asked for.",
    cause: "A wrong id, or a server that gives only what a branch or tag contains.",
    remedy: "Check the commit's id, and that a branch or tag of the repository contains it.",
  },
  "git/credentials-in-url": {
    meaning: "The URL of a repository has a password in it, which logs would show.",
    cause: "The URL was copied from a clone command of CI.",
    remedy: "Put the token in a file and name it in the source's auth.",
  },
  "git/damaged": {
    meaning: "The mirror on disk is damaged. It is fetched again automatically.",
    cause: "A power cut, a full or failing disk, or somebody who changed the folder.",
    remedy: "Check the disk when this returns.",
  },
  "git/dirty": {
    meaning: "The checkout differs from its own HEAD, so that its commit does not say what is in it.",
    cause: "Uncommitted changes, or generated files that are tracked.",
    remedy: "Commit the changes, or take a clean checkout.",
  },
  "git/disk-full": {
    meaning: "There is no room for the mirror.",
    cause: "The volume with the folder of mirrors is full.",
    remedy: "Free space in the folder of the mirrors, or give it a larger volume.",
  },
  "git/diverged": {
    meaning:
      "The followed branch no longer contains the commit that is shown: its history was rewritten. What is shown stays.",
    cause: "A force-push.",
    remedy:
      "Run headrace-bootstrapper rewind --to COMMIT to follow it, or set allowForcePush for the source.",
  },
  "git/empty": {
    meaning: "The repository has no commits yet, so there is nothing to show.",
    cause: "It was just made, or nothing was pushed to it.",
    remedy: "Commit to it, and push where it is a remote one; the next poll finds it.",
  },
  "git/failed": {
    meaning: "git ended with a failure that has no code of its own.",
    cause: "The end of git's own words is in the message.",
    remedy: "Run the git command of the message by hand, as the same user, and act on what it prints.",
  },
  "git/file-changed": {
    meaning: "A file changed while its folder was read.",
    cause: "Something writes to the folder.",
    remedy: "Run it again once nothing writes to the folder, or give it a git source.",
  },
  "git/file-too-large": {
    meaning:
      "A file of the repository has more bytes than `bounds.file`; git was not asked for it, and what is shown stays.",
    cause: "A binary, a dump or a generated file among those that are shown.",
    remedy:
      "Make the file smaller, leave it out (`paths`), or raise `bounds.file` and the memory of the program.",
  },
  "git/filtered": {
    meaning:
      "A changed file of a checkout has a filter (git-crypt, say), and only that program knows what git would store.",
    cause: "A local change; or the checkout was copied, so that git cannot see that nothing changed.",
    remedy: "Commit the change; after a copy run git update-index --refresh in the checkout.",
  },
  "git/folder-missing": {
    meaning: "The folder to read files from cannot be read.",
    cause: "A wrong --source-path, or missing permission.",
    remedy: "Give an existing folder that this user may read.",
  },
  "git/host-key": {
    meaning: "SSH does not know the git server's key, or it has changed.",
    cause: "known_hosts has no line for the server.",
    remedy: "Add the server's key to the known_hosts file of the source's auth, after you have checked it.",
  },
  "git/insecure-token": {
    meaning: "A token would be sent in clear.",
    cause: "The URL is http:// or ssh-like, and its auth is a token.",
    remedy: "Use an https:// URL, or an SSH key.",
  },
  "git/lfs-pointer": {
    meaning:
      "A file is a Git LFS pointer; LFS is not followed. Targets that would hold it keep their last good content.",
    cause: ".gitattributes sends it to LFS, or somebody committed a pointer.",
    remedy: "Keep files that rules name in git itself: git lfs migrate export.",
  },
  "git/link-cyclic": {
    meaning:
      "A symbolic link leads back to itself. Targets that could hold what it showed keep their last good content.",
    cause: "Links that point at each other, or at a folder above.",
    remedy: "Point it at a file or folder of the same tree, or remove it.",
  },
  "git/link-dangling": {
    meaning:
      "A symbolic link leads to what is not in the tree. Targets that could hold what it showed keep their last good content.",
    cause: "What it pointed to was moved or removed.",
    remedy: "Point it at a file or folder of the same tree, or remove it.",
  },
  "git/link-outside": {
    meaning:
      "A symbolic link leads outside of the tree. Targets that could hold what it showed keep their last good content.",
    cause: 'An absolute path, or more ".." than there are folders.',
    remedy: "Point it at a file or folder of the same tree, or remove it.",
  },
  "git/link-too-large": {
    meaning:
      "Symbolic links show more files than the limit. Targets that could hold what this one showed keep their last good content.",
    cause: "Links to folders that hold links themselves.",
    remedy: "Point it at a smaller folder, or copy the files.",
  },
  "git/locked": {
    meaning: "A lock of git is in the mirror. It is removed and the fetch tried again by itself.",
    cause: "A git that was killed.",
    remedy: "Check that nothing else uses the folder of mirrors when this returns.",
  },
  "git/foreign-mirror": {
    meaning:
      "A program that runs as root would keep its mirror where another user has made the folder, or one above it.",
    cause: "`mirrors` lies in a folder such as /tmp, in which everybody can make one.",
    remedy: "Name a folder that only root can make as mirrors, or give that one to root.",
  },
  "git/mirrors-unwritable": {
    meaning: "The folder of the mirrors cannot be made or written, so nothing can be fetched.",
    cause: "A read-only root file system, or a folder of another user: the default is /var/cache/headrace.",
    remedy:
      "Set mirrors in the settings to a folder that the program's user can write, such as a mounted volume.",
  },
  "git/missing-object": {
    meaning: "The repository does not have a commit or file that is asked for.",
    cause: "It was never on the followed branch, or a force-push dropped it.",
    remedy:
      "Name a commit of the followed branch; run headrace-bootstrapper apply when the record names one that is gone.",
  },
  "git/no-mirror-folder": {
    meaning: "Too many programs hold mirrors of one source in one folder.",
    cause: "Several programs share the folder of mirrors.",
    remedy: 'Give each program a folder of its own: "mirrors" in its settings.',
  },
  "git/no-user-name": {
    meaning: "ssh does not run for a user that /etc/passwd does not list.",
    cause: "A pod's runAsUser, or the user that OpenShift picks, and an image without nss_wrapper.",
    remedy:
      "Run as a user of /etc/passwd, or install nss_wrapper (Debian: libnss-wrapper); the image has it.",
  },
  "git/not-a-checkout": {
    meaning: "A folder is not a git checkout, or not the top of one.",
    cause: "A folder inside a checkout, or files without their .git.",
    remedy: "Give the folder that holds .git: its history orders this run among others.",
  },
  "git/not-installed": {
    meaning: "git cannot be run.",
    cause: "It is not on the PATH.",
    remedy: "Install git 2.34 or newer.",
  },
  "git/object-format": {
    meaning: "The repository and the mirror name objects by different hashes, SHA-1 and SHA-256.",
    cause: "The repository was made again with another hash. The mirror is made again by itself.",
    remedy: "Wait for the next fetch; install git 2.34 or newer when the error returns.",
  },
  "git/object-too-large": {
    meaning: "A commit, tag or tree has more than 64 MiB. The source is stopped, and what is shown stays.",
    cause: "An object that was made to fill the memory of programs that read it.",
    remedy: "Rewrite the branch without the object that the message names.",
  },
  "git/plaintext-url": {
    meaning: "A repository would be fetched in clear, so that anybody on the way can change what is shown.",
    cause: "The URL begins with git:// or http://.",
    remedy: "Use an https:// or SSH URL, or set allowPlaintext for the source where the network is trusted.",
  },
  "git/reader-died": {
    meaning: "The git process that reads objects died again and again.",
    cause: "Too little memory, or a damaged repository.",
    remedy:
      "Raise the memory limit; when that does not help, remove the mirror's folder, which is fetched again.",
  },
  "git/reader-protocol": {
    meaning: "git answered in a way that is not known.",
    cause: "A version of git that is too old, or something in its place on the PATH.",
    remedy: "Install git 2.34 or newer.",
  },
  "git/repository-missing": {
    meaning: "The server has no such repository, or does not show it to this login.",
    cause: "A wrong URL; private repositories look missing without a login.",
    remedy: "Check the source's url, and its auth if the repository is private.",
  },
  "git/shallow": {
    meaning: "The repository is a shallow clone: its history, which orders revisions, is cut off.",
    cause: "A clone with --depth, as CI makes it.",
    remedy: "Run git fetch --unshallow in it, or clone without --depth.",
  },
  "git/special-file": {
    meaning: "An entry of a folder is neither a file, a folder nor a link. Targets that would hold it fail.",
    cause: "A socket, pipe or device in the folder.",
    remedy: "Remove it from the folder, or narrow the glob that matches it.",
  },
  "git/submodule": {
    meaning:
      "A rule could match files of a submodule, which are not part of this source. Its targets keep their last good content.",
    cause: "The repository has a .gitmodules, or a folder was replaced by a submodule.",
    remedy: "Make it a source of its own, copy the files that rules need, or narrow the glob.",
  },
  "git/timeout": {
    meaning: "A git command took too long and was ended. It is tried again.",
    cause: "A slow server or network, or a repository that is too large for the limit.",
    remedy: "Check the git server and the network; raise the source's fetchTimeout for a large repository.",
  },
  "git/too-many-files": {
    meaning: "A commit has more files than `bounds.files`; what is shown stays.",
    cause: "A tree that names one folder over and over, or a repository that is far larger than expected.",
    remedy: "Remove the files from the branch, or raise `bounds.files` and the memory of the program.",
  },
  "git/too-much-output": {
    meaning: "git wrote more than Headrace takes; what is shown stays.",
    cause: "A tree with far more files than are supported.",
    remedy: "Split the repository into several sources.",
  },
  "git/unexpected-output": {
    meaning: "git printed something that is not known.",
    cause: "A version of git that is too old or too new.",
    remedy: "Install a git from 2.34 on that this version of Headrace was tested with.",
  },
  "git/unknown-commit": {
    meaning: "A commit is not in the mirror.",
    cause: "An operator named a commit of another branch, or mistyped it.",
    remedy: "Name a commit of the followed branch, by its full id.",
  },
  "git/unreachable": {
    meaning: "The git server cannot be reached. It is tried again by itself.",
    cause: "DNS, a firewall or proxy, or a server that is down.",
    remedy: "Check the network between here and the git server.",
  },
  "git/unsafe-owner": {
    meaning: "git refuses a repository that belongs to another user.",
    cause: "The folder was made as another user, often root.",
    remedy: "Run as the user who owns the repository, or give it to the user who runs this.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof gitErrors, unknown> {}
}
