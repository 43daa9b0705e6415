/**
 * The same response of fetch, whose body ends with `tooLarge()` after `most` bytes. fetch has undone Content-Encoding by
 * then, so that what counts is what comes out. Nothing is read here.
 */
export function boundedResponse(response: Response, most: number, tooLarge: () => Error): Response {
  if (response.body === null) return response
  let size = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.length
      if (size > most) controller.error(tooLarge())
      else controller.enqueue(chunk)
    },
  })
  const { status, statusText, headers, url } = response
  const bounded = new Response(response.body.pipeThrough(counter), { status, statusText, headers })
  // A response that is made says nothing of where it came from.
  Object.defineProperty(bounded, "url", { value: url })
  return bounded
}
