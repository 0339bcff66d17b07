#version 330
uniform mat4 camera, camera_last, camera_next, light;
uniform vec2 nudge;        // of the grid of pixels, in clip space
uniform float instant;     // of the exposure: 0 is the frame's own time, -1 and 1 its neighbours'
in vec3 at, at_last, at_next, normal, place;
in float arm, part;
out vec3 v_world, v_normal, v_place;
out vec4 v_light, v_last, v_next, v_now;
out float v_arm;
flat out int v_part;
void main() {
    vec3 world = instant >= 0.0 ? mix(at, at_next, instant) : mix(at, at_last, -instant);
    mat4 view = instant >= 0.0 ? camera * (1.0 - instant) + camera_next * instant : camera * (1.0 + instant) - camera_last * instant;
    v_world = world; v_normal = normal; v_place = place; v_arm = arm; v_part = int(part + 0.5);
    v_light = light * vec4(world, 1.0);
    v_now = camera * vec4(at, 1.0); v_last = camera_last * vec4(at_last, 1.0); v_next = camera_next * vec4(at_next, 1.0);
    gl_Position = view * vec4(world, 1.0);
    gl_Position.xy += nudge * gl_Position.w;
}
