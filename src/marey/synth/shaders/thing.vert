#version 330
uniform mat4 camera, camera_last, camera_next, light;
uniform vec2 nudge;        // of the grid of pixels, in clip space
uniform float instant;
in vec3 at, normal;
in vec2 uv;
out vec3 v_world, v_normal;
out vec2 v_uv;
out vec4 v_light, v_last, v_next, v_now;
void main() {
    mat4 view = instant >= 0.0 ? camera * (1.0 - instant) + camera_next * instant : camera * (1.0 + instant) - camera_last * instant;
    v_world = at; v_normal = normal; v_uv = uv;
    v_light = light * vec4(at, 1.0);
    v_now = camera * vec4(at, 1.0); v_last = camera_last * vec4(at, 1.0); v_next = camera_next * vec4(at, 1.0);
    gl_Position = view * vec4(at, 1.0);
    gl_Position.xy += nudge * gl_Position.w;
}
