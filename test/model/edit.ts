/**
 * A path of the model's files and what becomes of it; `content` -1: deleted, -2: a link to another path, -3: a Git LFS
 * pointer, -4: emptied.
 */
export interface Edit {
  path: number
  content: number
}
