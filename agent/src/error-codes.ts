// Its declarations bring the codes of `shared` along, which this package may use too.
import type {} from "@headrace/shared/error-codes"
import type { ErrorMeanings } from "@headrace/shared/foundation/errors"

/** The codes that the agent declares, as docs/reference/errors.md explains them. */
export const agentErrors = {
  "agent/check-failed": {
    meaning: "Some projections cannot be shown; a line before this says why for each.",
    cause: "A missing ConfigMap or key, two files at one path, or a source that cannot be read.",
    remedy: "Correct what the lines say, and run headrace-agent check again.",
  },
  "agent/no-config": {
    meaning: "The agent was started without settings.",
    cause: "--config is missing.",
    remedy: "Give --config FILE, or a subcommand of those that --help lists.",
  },
  "agent/no-landlock": {
    meaning: "The agent was started with --confine always, and this system cannot confine it.",
    cause:
      "A kernel before Linux 5.19, one without landlock in its lsm= list, or no build of koffi for this system.",
    remedy: "Enable Landlock (landlock(7)), or run it with --confine auto.",
  },
  "agent/not-confined": {
    meaning: "The agent could not confine itself, and ended rather than run half confined.",
    cause: "A call of Landlock failed, or the program could not execute itself.",
    remedy: "Read the cause in the message; --confine off runs it unconfined.",
  },
  "agent/not-ready": {
    meaning:
      "Not everything is shown within the time, or not every consumer could be notified. What was published stays.",
    cause: "A source that is slow or missing, or a hook that fails.",
    remedy: "Act on the reasons in the message, run it again, or give it more time with --timeout.",
  },
  "agent/outside-confinement": {
    meaning:
      "Changed settings write where this process cannot: it confined itself when it started, and that cannot be widened. The last good settings stay in force.",
    cause: "A projection, work folder, touched file or writable folder was added elsewhere.",
    remedy:
      "Restart the agent. Name the folder above in confinement.writable to need no restart the next time.",
  },
  "agent/restart-needed": {
    meaning:
      "The agent ended so that what started it (the kubelet, systemd) starts it again, with rights to write to other folders. What is published stays.",
    cause:
      "Changed settings write elsewhere, or a folder of a projection was removed, replaced or mounted over.",
    remedy: "Wait until it is started again, or start it.",
  },
  "agent/unexpected": {
    meaning:
      "A failure that Headrace has no code for: usually a fault in Headrace itself. What is published stays.",
    cause: "A library or the system failed in a way that nobody foresaw.",
    remedy: "Read the message that comes with it, and report it with the log when it returns.",
  },
  "disk/busy": {
    meaning: "The kernel refuses to replace a path that is in use.",
    cause: "The path is a mount point.",
    remedy: "Project to a folder inside the mount.",
  },
  "disk/denied": {
    meaning: "The user that the agent runs as may not do this on disk.",
    cause: "The folder belongs to another user, or a security profile forbids it.",
    remedy: "Give that user write access to the folder, or run the agent as its owner.",
  },
  "disk/failed": {
    meaning:
      "The disk refused an operation, for a reason without a code of its own. What is published stays.",
    cause: "An I/O error (EIO), too many open files (EMFILE), or another errno, which the message names.",
    remedy:
      "Look up the errno of the message in errno(3), and check the kernel's log for errors of the disk.",
  },
  "disk/full": {
    meaning: "There is no room for the revision: bytes, inodes or quota. What is published stays.",
    cause: "Old revisions that are kept, or something else on the volume.",
    remedy: "Free bytes or inodes there (df, df -i), raise the quota, or lower keep.",
  },
  "disk/not-a-folder": {
    meaning: "A file is where a folder is needed; nothing published was changed.",
    cause: "The path of a projection, or a folder above it, is a file.",
    remedy: "Give another path, or move the file.",
  },
  "disk/other-file-system": {
    meaning: "A rename would cross file systems.",
    cause: "The projection and its store are on two mounts.",
    remedy: "Keep the projection and its store on one file system.",
  },
  "disk/read-only": {
    meaning: "The file system is read-only.",
    cause: "It was mounted so, or the kernel remounted it after an I/O error.",
    remedy: "Mount it writable; check the kernel's log first when it was writable before.",
  },
  "disk/unsupported": {
    meaning: "The file system or the kernel cannot do what the layout needs.",
    cause: "NFS or another network file system, an old kernel, or koffi that is not installed.",
    remedy: "Use layout links, or install koffi for layout exchange on a local file system.",
  },
  "git-sync/add-user": {
    meaning: "The user that the program runs as has no name, and --add-user could not give it one.",
    cause: "/etc/passwd cannot be written by that user.",
    remedy: "Install nss_wrapper, as the image has it, or run as a user of /etc/passwd.",
  },
  "git-sync/bad-option": {
    meaning: "A flag or variable of git-sync is unknown, has a wrong value, or contradicts another one.",
    cause: "A misspelt flag, or a value that git-sync would refuse as well.",
    remedy: "Correct it as the message says; headrace-agent git-sync --help lists all.",
  },
  "git-sync/hook-failed": {
    meaning: "With --one-time, a hook failed at its first run. What was synced stays.",
    cause: "The program of --exechook-command or the server of --webhook-url.",
    remedy: "Read the hook's message in the log, and run the command again.",
  },
  "git-sync/refused": {
    meaning: "A flag or variable of git-sync is not supported; nothing was started.",
    cause: "The message gives the reason.",
    remedy: "Remove it; docs/moving-from/git-sync.md lists what differs.",
  },
  "git-sync/root": {
    meaning: "The folder of --root, or that of --link, cannot be made or entered.",
    cause: "A volume that belongs to another user, or a read-only file system.",
    remedy: "Give the pod an fsGroup, or the volume another owner.",
  },
  "git-sync/too-many-failures": {
    meaning: "As many syncs as --max-failures allows failed one after another. What was synced stays.",
    cause: "The error that follows.",
    remedy: "Act on that error; --max-failures=-1 tries for ever, as a sidecar mostly wants it.",
  },
  "lease/no-command": {
    meaning: "The command to run under a lease cannot be started.",
    cause: "A slip in its name, or it is not on the PATH.",
    remedy: 'Check the command after "--".',
  },
  "notify/call-failed": {
    meaning: "A consumer did not accept the HTTP call that notifies it. It is called again after a wait.",
    cause: "The consumer is down, answers with an error, or does not answer in time.",
    remedy: "Check that the consumer listens at that URL and answers with a status of 200 to 299.",
  },
  "notify/hook-failed": {
    meaning: "A command that notifies a consumer failed. It is run again after a wait.",
    cause: "The command ended with another code than 0, by a signal, or not in time.",
    remedy: "Run the command by hand to see why; it must tolerate being run twice.",
  },
  "notify/no-process": {
    meaning: "There is no process to send a signal to.",
    cause: "The pid file is missing or stale, or the process is in another container.",
    remedy: "Check the pid file or name; for processes of other containers set shareProcessNamespace.",
  },
  "notify/touch-failed": {
    meaning: "The file that notifies a consumer cannot be replaced.",
    cause: "Its folder is missing or not writable.",
    remedy: "Create its folder, and let the agent's user write to it.",
  },
  "projection/bad-gzip": {
    meaning: "A file that is to be unpacked is not gzip, or is too large unpacked.",
    cause: "`gunzip` is set for what is not packed, or the file is cut off.",
    remedy: "Check the gunzip setting of the item, and that the file is whole gzip.",
  },
  "projection/blocked": {
    meaning:
      "A source of the projection failed; the cause follows. It is tried again by itself, and what is published stays.",
    cause: "A store object or ConfigMap that cannot be read.",
    remedy: "Act on the code of the cause, which the message gives too.",
  },
  "projection/folder": {
    meaning:
      "A folder that another program publishes changed while it was read. It is read again; what is published stays.",
    cause: "A publisher that writes in place, or that removes a folder as soon as it has shown the next one.",
    remedy: "Wait; where it does not end, let the publisher show each state by one rename of a link.",
  },
  "projection/guarded": {
    meaning:
      "A change of a git branch, of live objects or of a folder would take most of what is shown of it away. It keeps its part; other origins of the projection go on.",
    cause:
      "A folder or label that was renamed, a branch forced to an empty tree, or a cleanup that is meant.",
    remedy: "Correct the source, or run headrace-agent approve PATH REVISION if it is meant.",
  },
  "projection/incomplete": {
    meaning:
      "A commit of a git source has parts whose content is not known. It is not shown; what is published stays.",
    cause:
      "A submodule, a Git LFS pointer, a symbolic link that dangles or leads out or in a circle, or a name that is not UTF-8, under the source's paths.",
    remedy:
      "Fix it in the repository or narrow the source's paths; set unknownContent to leave-out to show the rest.",
  },
  "projection/known": {
    meaning: "The agent's memory of what it has read cannot be kept.",
    cause: "There is a file where its folder is to be.",
    remedy: "Remove the file that the message names.",
  },
  "projection/no-commit": {
    meaning: "The followed branch does not contain the commit that the settings name.",
    cause: "A wrong id, or a commit of another branch.",
    remedy: "Name a commit of that branch.",
  },
  "projection/older": {
    meaning: "The source is older than what was published; nothing is changed.",
    cause: "An API server that lags behind, or an etcd that was restored from a backup.",
    remedy:
      "Wait: after a restore the plugin begins a newer epoch within a minute; where status says that the epoch lies too far ahead, run the headrace-bootstrapper rewind --epoch that it names. To go back on purpose run headrace-bootstrapper rewind, or set allowForcePush of a git source.",
  },
  "projection/returned": {
    meaning:
      "A candidate of a rollout failed its check here, so the projection shows the revision before it again and waits for the record.",
    cause: "One of the projection's `after` checks failed while the record called the revision a candidate.",
    remedy:
      "Read the check's message and correct the revision; the record returns, or an operator decides with promote --now. headrace-agent unpin shows the candidate again.",
  },
  "projection/same-name": {
    meaning:
      "Two files of a projection have one base name, which its setting uniqueBaseNames forbids; what is published stays.",
    cause: "A file was added, or moved, whose base name another folder or origin has.",
    remedy: "Rename one of the two, or list in uniqueBaseNames only the endings that matter to the consumer.",
  },
  "projection/same-path": {
    meaning: "Two files of a projection want one path; what is published stays.",
    cause: "Two sources without a folder of their own.",
    remedy: "Give one of them a folder of its own with `under`.",
  },
  "projection/unhealthy": {
    meaning: "A check of what the projection shows fails. What is shown stays, outside of a rollout.",
    cause: "The consumer does not accept the revision, or is unhealthy for another reason.",
    remedy: "Read the check's message; rewind the source when the revision is at fault.",
  },
  "projection/vetoed": {
    meaning:
      "The hook that is asked before a publish refused the revision. It is asked again, and what is published stays.",
    cause: "The hook found the revision to be wrong, or failed itself.",
    remedy: "Correct the revision or the hook; the hook's output is in the log.",
  },
  "projection/waits": {
    meaning: "A source of the projection has nothing to give yet. What is published stays.",
    cause: "The ConfigMap, key, record or branch is not there, or was not read yet.",
    remedy: "Create what the message names, or set optional: true where it may be missing.",
  },
  "publish/bad-manifest": {
    meaning: "The list of what a revision holds is damaged. The revision is rewritten from its source.",
    cause: "A power cut with durability off, or somebody who changed the folder.",
    remedy: "Check the disk when this returns.",
  },
  "publish/bad-path": {
    meaning: "A path cannot be published; nothing was written.",
    cause: 'An empty part, "..", a name that is reserved, or one that is too long.',
    remedy: "Rename the file, or change the rule that gives this path.",
  },
  "publish/bad-revision": {
    meaning: "A revision cannot be published in this layout, or under this id.",
    cause: "An id with other characters, or layout file with another number of files than one.",
    remedy:
      "Use an id of letters, digits, dots, dashes and underscores; choose layout links or exchange for several files.",
  },
  "publish/bad-source": {
    meaning: "The folder to publish, or a file in it, cannot be read.",
    cause: "A path that is missing, a link that leads outside of it, or a special file.",
    remedy: "Correct the folder, or publish another one.",
  },
  "publish/behind": {
    meaning: "An older revision than the newest that was shown would be published; nothing is changed.",
    cause: "A control plane that was restored from a backup, or a late writer.",
    remedy:
      "Run headrace-agent rollback to show an older revision on purpose, or headrace-bootstrapper rewind for all nodes.",
  },
  "publish/foreign-file": {
    meaning:
      "Something that is not Headrace's is in the place of what is to be published; nothing was changed.",
    cause:
      "A file that somebody made before the agent started, or what another tool published. What is put there later is removed.",
    remedy: "Move it away, or project to another path.",
  },
  "publish/foreign-store": {
    meaning: "The folder for revisions is not one that Headrace can use.",
    cause: "A file by that name, another file system, or another owner.",
    remedy: "Move it away, or run the agent as the user who owns it.",
  },
  "publish/locked": {
    meaning: "Another process works on the projection.",
    cause: "Two agents or commands for one path.",
    remedy: "Stop it; fuser -v PATH shows it.",
  },
  "publish/lost-lock": {
    meaning:
      "The lock of a projection was removed while it was held; what is published stays, and the next attempt takes it again.",
    cause: "A program that clears temporary folders, or a person.",
    remedy: "Exempt the folder of the locks from clearing, or name another one in HEADRACE_LOCK_FOLDER.",
  },
  "publish/lost-file": {
    meaning: "A file of the revision went away while it was staged; what is published stays.",
    cause: "Somebody removes files in the folder for revisions.",
    remedy: "Keep other programs out of that folder; it is tried again.",
  },
  "publish/mount-point": {
    meaning: "The path is a mount point, which no rename can replace.",
    cause: "A volume is mounted where the projection is to be.",
    remedy: "Project to a folder inside the mount, or use layout links.",
  },
  "publish/moved-away": {
    meaning:
      "The path of a projection leads to another folder than when it was opened; nothing was published there.",
    cause: "The folder was moved, removed or mounted over while the agent ran.",
    remedy:
      "Leave it as it is: the agent opens the folder that is there now and publishes to it, within seconds.",
  },
  "publish/nested": {
    meaning: "The folder to publish to is inside of the folder to publish.",
    cause: "The two paths were swapped, or lie in each other.",
    remedy: "Publish to a folder outside of it.",
  },
  "publish/newer-format": {
    meaning: "What is on disk was written by a newer Headrace; what is published stays.",
    cause: "The agent was downgraded.",
    remedy: "Run the version that wrote it, or a later one.",
  },
  "publish/no-lock-folder": {
    meaning: "There is no folder for the locks that keep two programs from publishing to one projection.",
    cause: "A read-only root file system without /run/lock, /tmp or /dev/shm, or strangers' folders there.",
    remedy: "Name a folder that the agent's user owns, with mode 0700, in HEADRACE_LOCK_FOLDER.",
  },
  "publish/no-projection": {
    meaning: "A path is no projection.",
    cause: "A slip in the path, or nothing was published there yet.",
    remedy:
      "Give the folder that holds the projection's links, or the path of the file or folder that is shown.",
  },
  "publish/over-cap": {
    meaning: "A revision would pass the cap of the projection's size; what is published stays.",
    cause: "Readers that hold old revisions, or a cap that is smaller than two revisions.",
    remedy:
      "Raise keep.bytes, lower keep.revisions or keep.age, end the readers that hold leases, or allow breakLeases.",
  },
  "publish/pinned": {
    meaning: "The projection is pinned to a revision; newer ones are not shown.",
    cause: "An operator ran headrace-agent pin or rollback.",
    remedy: "Run headrace-agent unpin PATH.",
  },
  "publish/returned": {
    meaning:
      "A candidate of a rollout failed its check here, so nothing is published until the record names another revision.",
    cause: "A program published to a projection that has gone back to the revision before.",
    remedy: "Wait for the record's next revision, or run headrace-agent unpin to show the candidate again.",
  },
  "publish/system-folder": {
    meaning: "The folder to publish to is / or a folder of the system right beneath it; nothing was written.",
    cause: "A variable in --to or in a path that was not set, so that only / was left.",
    remedy: "Publish to a folder of its own.",
  },
  "publish/work-tree": {
    meaning: "The folder to publish to is a git checkout; nothing was written.",
    cause: "--to names the repository, often by swapping --from and --to.",
    remedy: "Publish to a folder of its own, outside of the checkout.",
  },
  "publish/wrong-content": {
    meaning: "A file has other content than the revision promised; what is published stays.",
    cause: "It changed while it was read.",
    remedy: "Publish again once nothing writes to the source.",
  },
  "read/no-revision": {
    meaning: "A path shows no revision to read.",
    cause: "Nothing was published there yet, or it is no projection.",
    remedy: "Check the path, and that the agent has published it: headrace-agent list PATH.",
  },
  "retain/damaged": {
    meaning: "Files of a revision are not what was published.",
    cause: "Somebody changed them, or the disk is damaged.",
    remedy: "Restart the agent, which rewrites them; publish again, or roll back to a sound revision.",
  },
  "retain/no-revision": {
    meaning: "The projection does not keep the revision that is asked for.",
    cause: "It was removed by age, number or size, or there is none yet.",
    remedy: "Choose one of those that headrace-agent list shows.",
  },
  "settings/own-folder": {
    meaning:
      "A projection would show itself: an origin of it is a folder that contains it, or that it contains.",
    cause: "The path of the projection and that of its folder origin were mixed up.",
    remedy: "Show it at a path outside of that folder.",
  },
  "settings/same-folder": {
    meaning: "Two projections want the same folder, or one inside the other.",
    cause: "A projection was copied and its path kept.",
    remedy: "Give each a folder of its own, none inside another.",
  },
  "settings/same-path": {
    meaning: "A projection gives the same path twice.",
    cause: "Two sources or items without a folder of their own.",
    remedy: "Remove one of them, or give one a folder of its own with `under`.",
  },
  "settings/source": {
    meaning: "A source of a projection is of a kind that this version does not know.",
    cause: "Settings of a newer version.",
    remedy: "Upgrade the agent, or use one of the kinds in docs/reference/agent.md.",
  },
  "sidecar/bad-option": {
    meaning: "A variable or flag of k8s-sidecar is missing, or has a wrong value; nothing was started.",
    cause: "A misspelt value, or a container without LABEL or FOLDER.",
    remedy: "Correct it as the message says; headrace-agent k8s-sidecar --help lists all.",
  },
  "store/cache-failed": {
    meaning:
      "A cache of the agent's `objects` gave no object, or none that is what its digest says; the next one is asked.",
    cause: "It is down, slow or not a cache of the store, or the token is not one of the plugin's.",
    remedy:
      "Check the URL, tokenFile and the cache. The node shows everything all the same: it reads from the API server.",
  },
  "store/corrupt": {
    meaning: "What the record or the store says cannot be true; what is published stays.",
    cause: "Somebody other than Headrace wrote it.",
    remedy: "Run headrace-bootstrapper apply, which writes it again.",
  },
} as const satisfies ErrorMeanings

declare module "@headrace/shared/foundation/errors" {
  interface ErrorCodes extends Record<keyof typeof agentErrors, unknown> {}
}
