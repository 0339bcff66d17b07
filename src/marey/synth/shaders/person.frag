#version 330
#include figure.glsl
#include light.glsl
in vec3 v_world, v_normal, v_place;
in float v_arm;
flat in int v_part;
out vec4 rgba;

float band(float x, float width) { float w = fwidth(x) + 1e-4; return smoothstep(-w, w, abs(fract(x) - 0.5) - width); }
vec3 fabric(vec3 a, vec3 b, float kind, vec3 p, float scale) {
    float s = scale;
    if (kind < 0.5) return a;
    if (kind < 1.5) return mix(a, b, band(p.y * s, 0.25));
    if (kind < 2.5) return mix(a, b, band(p.x * s * 1.3, 0.3));
    if (kind < 3.5) return mix(a, b, 0.55 * band(p.y * s, 0.28) + 0.45 * band(p.x * s, 0.28));
    if (kind < 4.5) { vec2 c = fract(p.xy * s * 1.4) - 0.5; return mix(b, a, smoothstep(0.2, 0.26, length(c))); }
    if (kind < 5.5) return mix(a, b, smoothstep(0.1, 0.5, p.y));
    if (kind < 6.5) return mix(a, b, smoothstep(0.5, 0.6, noise(p * s * 0.9)));
    vec2 q = (p.xy - vec2(0.0, 0.38)) * vec2(1.0, 1.2);
    float r = length(q), mark = p.z > 0.0 ? smoothstep(0.085, 0.08, r) * (0.4 + 0.6 * step(0.5, fract(atan(q.y, q.x) * 0.9 + r * 30.0 * (style.w - 0.3)))) : 0.0;
    return mix(a, b, mark);
}
vec3 face(vec3 rgb, vec3 p) {
    if (p.z < 0.06 || p.y < 0.6) return rgb;
    vec2 q = vec2(abs(p.x), p.y);
    float lips = smoothstep(1.0, 0.75, length((p.xy - vec2(0.0, 0.658)) / vec2(0.030, 0.0115)));
    rgb = mix(rgb, lip_rgb, 0.75 * lips * step(0.11, p.z));
    rgb *= 1.0 - 0.45 * smoothstep(0.0016, 0.0004, abs(p.y - 0.659 + 0.12 * p.x * p.x * 30.0 * 0.0)) * step(abs(p.x), 0.027) * step(0.11, p.z);
    float brow = smoothstep(1.0, 0.5, length((q - vec2(0.033, 0.7535 + 0.08 * (0.03 - abs(q.x - 0.033)))) / vec2(0.021, 0.0055)));
    rgb = mix(rgb, hair_rgb * 0.6, 0.85 * brow);
    float rim = abs(length((q - vec2(0.0325, 0.7285)) / vec2(0.0175, 0.0095)) - 1.0);
    rgb = mix(rgb, rgb * 0.35, smoothstep(0.45, 0.05, rim) * step(0.727, p.y));
    float cheek = smoothstep(1.0, 0.0, length((q - vec2(0.048, 0.69)) / vec2(0.03, 0.025)));
    rgb = mix(rgb, rgb * vec3(1.08, 0.88, 0.86), 0.6 * cheek);
    float beard = hair_cut.z * smoothstep(0.70, 0.665, p.y) * (1.0 - lips) * smoothstep(0.02, 0.06, abs(p.x) + max(0.0, 0.66 - p.y) * 1.4);
    return mix(rgb, hair_rgb, 0.8 * beard);
}
void main() {
    vec3 p = v_place;
    if (!exists(v_part, p, v_arm)) discard;
    vec3 n = normalize(v_normal), rgb = skin_rgb;
    if (dot(n, eye_at - v_world) < 0.0) n = -n;
    float gloss = 0.05;
    bool top = (v_part == SKIN || v_part == CLOTH) && in_top(p, v_arm, v_part == SKIN ? 0.012 : 0.0);
    bool legs = v_part == SKIRT || ((v_part == SKIN || v_part == CLOTH) && in_legs(p, v_arm, v_part == SKIN ? 0.012 : 0.0));
    bool shoe = (v_part == SKIN || v_part == CLOTH) && in_shoe(p, v_part == SKIN ? 0.008 : 0.0);
    vec3 dent = top || legs ? vec3(noise(p * 26.0), noise(p * 26.0 + 7.0), noise(p * 26.0 + 13.0)) - 0.5 : vec3(0.0);
    if (shoe) { rgb = p.y < -0.803 ? vec3(0.75) * shoes_rgb + 0.15 : shoes_rgb; gloss = 0.15; }
    else if (top && (!legs || p.y > cut_top.x)) {
        rgb = fabric(top_rgb, top2_rgb, style.x, v_arm > 0.0 ? vec3(v_arm * 0.5, p.z, p.x) : p, style.z);
        float edge = v_arm > 0.0 ? cut_top.z - v_arm : min(p.y - cut_top.x, -bare_neck(p) * 0.1);
        rgb *= edge < 0.012 ? 0.82 : 1.0; n = normalize(n + 0.45 * dent); gloss = 0.01;
    } else if (legs) {
        rgb = fabric(legs_rgb, legs2_rgb, style.y, p, style.z * 0.8);
        rgb *= 0.92 + 0.16 * noise(p * vec3(420.0, 60.0, 420.0)); n = normalize(n + 0.45 * dent); gloss = 0.01;
        if (v_part == SKIRT) n = normalize(n + 0.5 * vec3(sin(atan(p.x, p.z) * 18.0), 0.0, cos(atan(p.x, p.z) * 18.0)) * 0.6);
    } else if (v_part == EYE) {
        vec2 q = vec2(abs(p.x) - 0.0313, p.y - 0.7285);
        float r = length(q);
        rgb = r < 0.0026 ? vec3(0.015) : r < 0.0062 ? eye_rgb : vec3(0.82, 0.8, 0.78); gloss = 0.5;
    } else if (v_part == HAIR || v_part == SCALP) {
        float strand = noise(vec3(p.x * 260.0, p.y * 22.0, p.z * 260.0));
        rgb = hair_rgb * (0.6 + 0.75 * strand); gloss = 0.12; n = normalize(n + 0.5 * (strand - 0.5) * vec3(1.0, 0.2, 1.0));
    } else {
        rgb *= 0.9 + 0.2 * noise(p * 38.0) * 0.6 + 0.08 * noise(p * 300.0);
        rgb = face(rgb, p);
        if (v_arm > 1.12) rgb = mix(rgb, rgb * vec3(1.06, 0.93, 0.9), 0.7);
        if (hair_cut.x < 2.0 && on_scalp(p)) rgb = hair_rgb * (0.6 + 0.6 * noise(p * 260.0));
    }
    rgba = vec4(shown(shaded(rgb, n, v_world, gloss)), 1.0);
}
