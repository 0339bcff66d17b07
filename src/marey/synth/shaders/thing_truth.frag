#version 330
uniform vec2 size;
uniform float who;
in vec4 v_last, v_next, v_now;
layout(location = 0) out vec4 thing;
layout(location = 1) out vec4 flow;
void main() {
    vec2 now = v_now.xy / v_now.w;
    thing = vec4(who, v_now.w, v_next.w, v_last.w);
    flow = vec4((v_next.xy / v_next.w - now) * 0.5 * size, (v_last.xy / v_last.w - now) * 0.5 * size);
}
