// What adam.wgsl reads before it writes, from textures that hold copies, four numbers in a texel: the software adapter reads
// those in a tenth of the time.
alias Value = vec4f;

@group(0) @binding(1) var dWTexels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var wTexels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(7) var mTexels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(8) var vTexels: texture_storage_2d<rgba32float, read>;
@group(0) @binding(9) var<uniform> sizes: Sizes;

fn before(i: u32) -> Before {
  let place = vec2u(i % 8192u, i / 8192u);
  return Before(
    textureLoad(wTexels, place),
    textureLoad(dWTexels, place),
    textureLoad(mTexels, place),
    textureLoad(vTexels, place),
  );
}
