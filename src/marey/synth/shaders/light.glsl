// Sun with soft shadows, sky and ground as one hemisphere, a little gloss.
uniform sampler2D shade;
uniform vec3 sun_way, sun_rgb, sky_rgb, ground_rgb, eye_at;
in vec4 v_light;
float lit() {
    vec3 p = v_light.xyz / v_light.w * 0.5 + 0.5;
    if (any(lessThan(p, vec3(0.0))) || any(greaterThan(p, vec3(1.0)))) return 1.0;
    vec2 step = 1.0 / vec2(textureSize(shade, 0));
    float sum = 0.0;
    for (int k = 0; k < 4; k++) sum += texture(shade, p.xy + step * (vec2(k & 1, k >> 1) - 0.5) * 1.6).r + 0.0016 > p.z ? 0.25 : 0.0;
    return sum;
}
vec3 shaded(vec3 rgb, vec3 n, vec3 world, float gloss) {
    float facing = dot(n, -sun_way);
    vec3 look = normalize(eye_at - world);
    float spark = gloss * pow(max(dot(n, normalize(look - sun_way)), 0.0), 24.0);
    float sun = facing > 0.0 ? lit() : 0.0;
    vec3 around = mix(ground_rgb, sky_rgb, n.y * 0.5 + 0.5);
    return rgb * (around + sun_rgb * max(facing, 0.0) * sun) + sun_rgb * spark * sun;
}
vec3 shown(vec3 rgb) { rgb = rgb / (1.0 + 0.25 * max(rgb.r, max(rgb.g, rgb.b))); return pow(clamp(rgb, 0.0, 1.0), vec3(1.0 / 2.2)); }
