#version 330
#include figure.glsl
in vec3 v_place;
in float v_arm;
flat in int v_part;
void main() { if (!exists(v_part, v_place, v_arm)) discard; }
