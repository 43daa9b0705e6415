import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `bundle` declares, as docs/reference/errors.md explains them. */
export const bundleErrors = {
  "bundle/bad-gzip": {
    meaning: "The content of a store object is not gzip; what is published stays.",
    cause: "Somebody other than Headrace wrote the ConfigMap.",
    remedy: "Delete the ConfigMap and run headrace-bootstrapper apply, which writes it again.",
  },
  "bundle/bad-header": {
    meaning: "A shard has a header that Headrace does not write.",
    cause: "Somebody other than Headrace wrote the object, or it is damaged.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/bad-listing": {
    meaning: "A shard does not begin with a listing that can be read.",
    cause: "Somebody other than Headrace wrote the object, or it is damaged.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/duplicate-name": {
    meaning: "A shard has a key or an entry twice.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/link": {
    meaning:
      "A shard holds a link, which no shard of Headrace does. It is refused before anything is written.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the store object, find out who wrote it, and run headrace-bootstrapper apply.",
  },
  "bundle/missing-content": {
    meaning: "A store object has no content.",
    cause: "Somebody edited the ConfigMap.",
    remedy: "Delete the ConfigMap and run headrace-bootstrapper apply, which writes it again.",
  },
  "bundle/missing-file": {
    meaning: "A shard lists a file and does not hold it.",
    cause: "Somebody other than Headrace wrote the object, or it is damaged.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/newer-format": {
    meaning: "A shard was written by a newer Headrace; what is published stays.",
    cause: "The control plane was upgraded before the agents.",
    remedy: "Upgrade this program.",
  },
  "bundle/special-file": {
    meaning:
      "A shard holds a device, pipe or folder, which no shard of Headrace does. It is refused before anything is written.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the store object, find out who wrote it, and run headrace-bootstrapper apply.",
  },
  "bundle/too-large": {
    meaning: "A store object does not fit a ConfigMap, or unpacks to more than one may hold.",
    cause:
      "When reading: somebody other than Headrace wrote it. When writing: a fault in Headrace, which splits what is large.",
    remedy: "Delete the store object and run headrace-bootstrapper apply; report it when it returns.",
  },
  "bundle/trailing-data": {
    meaning: "A shard has data where none belongs.",
    cause: "Somebody other than Headrace wrote the object, or it is damaged.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/truncated": {
    meaning: "A shard ends too early.",
    cause: "The object is damaged, or somebody edited it.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/unlisted-file": {
    meaning: "A shard holds a file that it does not list.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the store object and run headrace-bootstrapper apply.",
  },
  "bundle/unsafe-name": {
    meaning: "A shard names a path outside of itself. It is refused before anything is written.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the store object, find out who wrote it, and run headrace-bootstrapper apply.",
  },
  "bundle/wrong-digest": {
    meaning: "Content does not have the digest that names it.",
    cause: "Somebody edited the ConfigMap, or it is damaged.",
    remedy: "Delete the ConfigMap and run headrace-bootstrapper apply, which writes it again.",
  },
  "bundle/wrong-size": {
    meaning: "Content does not have the size that is listed.",
    cause: "When reading: somebody edited the object. When writing: the file changed while it was read.",
    remedy: "Run headrace-bootstrapper apply again; when that fails too, delete the store object first.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof bundleErrors, unknown> {}
}
