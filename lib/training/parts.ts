/**
 * How a kernel that measures a whole tensor shares its elements among invocations.
 *
 * @module
 */

/** Elements that one invocation looks at, or four times as many where they go by fours. */
const PART = 256;
/** The software adapter silently ends an invocation after 65,535 iterations. */
const MAX_LOOP = 32_768;

/**
 * How many parts the elements are cut into: at most so many, unless each would have too many elements. It is a multiple of
 * four, so that elements and parts go by fours together.
 */
export function partsOf(size: number, most: number): number {
  return 4 * Math.ceil(Math.max(Math.min(size / PART, most), size / MAX_LOOP) / 4);
}
