// What a person's surface is at a place of the base person (metres, at rest): the same for picture and truth.
const int SKIN = 0, EYE = 1, CLOTH = 2, SKIRT = 3, HAIR = 4, SCALP = 5;
uniform vec4 cut_top;      // hem, neckline (heights), sleeve's end along the arm, depth of the neck's opening
uniform vec4 cut_legs;     // waist, cuff, hem of the skirt (heights), height of the shoes
uniform vec4 style;        // pattern of top, of legs, scale, seed
uniform vec4 hair_cut;     // forehead's hairline, how far down at the back, beard, width of long hair
uniform vec3 skin_rgb, hair_rgb, eye_rgb, top_rgb, top2_rgb, legs_rgb, legs2_rgb, shoes_rgb, lip_rgb;

float hash(vec3 p) { p = fract(p * 0.3183099 + .1); p *= 17.0; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 x) {
    vec3 i = floor(x), f = fract(x); f = f * f * (3.0 - 2.0 * f);
    return mix(mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x), mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
               mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x), mix(hash(i + vec3(0, 1, 1)), hash(i + vec3(1, 1, 1)), f.x), f.y), f.z);
}
float bare_neck(vec3 p) {  // above 0 within the neck's opening
    float low = cut_top.y - (p.z > 0.02 ? cut_top.w : 0.0);
    return 1.0 - length(vec2(p.x / 0.105, min(p.y - 0.66, 0.0) / (0.66 - low)));
}
bool in_top(vec3 p, float arm, float ease) {
    return bare_neck(p) < -ease * 8.0 && (arm > 0.0 ? arm < cut_top.z - ease : (p.y > cut_top.x + ease && p.y < 0.66));
}
bool in_legs(vec3 p, float arm, float ease) { return arm <= 0.0 && p.y < cut_legs.x - ease && p.y > cut_legs.y + ease; }
bool in_shoe(vec3 p, float ease) { return p.y < cut_legs.w - ease; }
bool on_scalp(vec3 p) {
    float line = mix(hair_cut.y, hair_cut.x, smoothstep(-0.03, 0.115, p.z));
    line -= 0.035 * smoothstep(0.055, 0.072, abs(p.x)) * smoothstep(0.06, 0.03, p.z - 0.03);
    return p.y > line + 0.006 * noise(p * 120.0);
}
bool exists(int part, vec3 p, float arm) {
    if (part == CLOTH) return in_top(p, arm, 0.0) || in_legs(p, arm, 0.0) || in_shoe(p, 0.0);
    if (part == SKIRT) return cut_legs.z > -2.0 && p.y > cut_legs.z && p.y < cut_legs.x + 0.01;
    if (part == HAIR) return hair_cut.w > 0.0 && p.y > hair_cut.w && !(p.z > 0.11 && p.y < 0.79);
    if (part == SCALP) return on_scalp(p);
    return true;
}
