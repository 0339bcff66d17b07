#version 330
#include light.glsl
uniform sampler2D picture;
uniform vec3 tint;
uniform float glow;        // 1: a backdrop that shines by itself
in vec3 v_world, v_normal;
in vec2 v_uv;
out vec4 rgba;
void main() {
    vec3 rgb = pow(texture(picture, v_uv).rgb, vec3(2.2)) * tint;
    vec3 n = normalize(v_normal);
    if (dot(n, eye_at - v_world) < 0.0) n = -n;
    rgba = vec4(shown(mix(shaded(rgb, n, v_world, 0.02), rgb * (sky_rgb + 0.6 * sun_rgb), glow)), 1.0);
}
