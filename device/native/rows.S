/*
 * The inner part of the kernel tier `thumb`: rows of weights times one patch of input, requantised.
 * For a Cortex-M4 or better (Thumb-2 with DSP); position-independent, no writable data.
 *
 * Four rows a turn, then two; an odd last row is taken twice, so that one byte after the output is
 * written with it. Four products take LDR, two SXTB16 and two SMLAD; the patch is spread to halfwords once
 * for all rows of a turn.
 *
 * Requantisation is TFLM's double rounding, exact for every int32 accumulator. As a signed number
 * the doubled multiplier is 2m - 2^32, so that SMMLAR gives acc + round(acc (2m - 2^32) / 2^32)
 * = floor((acc m + 2^30) / 2^31). Minus one where negative, then shifted right with the last bit
 * shifted out added by ADC: the division that rounds halves away from zero. USAT and UQSUB8 hold
 * the result between low and high.
 *
 * lr points into the job, at its stride:
 *   -28 right       right shift, 1 to 31; 0: see .Lslow
 *   -24 plus        zpOut + 255 - high
 *   -20 multiplier  doubled
 *   -16 span        255 - (high - low), in each byte
 *   -12 low         in each byte
 *    -8 out         where the next output goes
 *    -4 rows        still to do
 *     0 stride      weights a row
 *     4 biasEnd
 *     8 patch
 *    12 perChannel, multiplierEnd, shiftEnd: not in a job of ws_layer's own
 */
  .syntax unified
  .cpu cortex-m4
  .thumb

row0    .req r0 @ and by stride row 1
row2    .req r1 @ and by stride row 3
stride  .req r2
weight  .req r3
patch   .req r8
count   .req r9
even    .req r10
odd     .req r11
half    .req r12
#ifdef DENSE_ONLY
probe   .req r3 @ a shorter code than r12
#else
probe   .req r12 @ r3 is scratch's
#endif

  .macro spread
  ldr even, [patch], #4
  sxtb16 odd, even, ror #8
  sxtb16 even, even
  .endm

  .macro four acc
  sxtb16 half, weight
  sxtb16 weight, weight, ror #8
  smlad \acc, half, even, \acc
  smlad \acc, weight, odd, \acc
  .endm

  .macro pair row, first, second
  ldr weight, [\row, stride]
  four \second
  ldr weight, [\row], #4
  four \first
  .endm

  .macro single row, first, second
  ldrsb weight, [\row, stride]
  mla \second, weight, even, \second
  ldrsb weight, [\row], #1
  mla \first, weight, even, \first
  .endm

  .macro two
  pair row0, r4, r5
  .endm

  .macro all
  pair row0, r4, r5
  pair row2, r6, r7
  .endm

  .macro turns products @ count: inputs - 4, at least 0
1: spread
  \products
  subs count, #4
  bhs 1b
  .endm

  .macro requantise acc @ r8 doubled multiplier, r2 right shift, r3 plus
  smmlar \acc, \acc, r8, \acc
  add \acc, \acc, \acc, asr #31
  asrs \acc, r2
  adcs \acc, r3
  usat \acc, #8, \acc
  .endm

  .macro each acc @ r0 multipliers, r1 shifts
  ldr r8, [r0], #4
  lsl r8, r8, #1
  ldrsb r2, [r1], #1
  rsbs r2, r2, #0
  requantise \acc
  .endm

/* int ws_layer(layer, input, output, scratch): see layer.c, which runs what is not run here. */
  .section .text.ws_layer, "ax"
  .global ws_layer
  .thumb_func
ws_layer:
  ldrb probe, [r0]
  cmp probe, #1
  bne .Lother
  ldrb probe, [r0, #16]
  cmp probe, #0
  beq 1f
.Lother:
#ifdef DENSE_ONLY
  mov r0, #-1
  bx lr
#else
  b other_layer
#endif
1: push {r4-r11, lr}
  ldrh r12, [r0, #6] @ rows
  ldrh r4, [r0, #4] @ stride
  mov r6, r1
  mov r11, r2
  mla r5, r4, r12, r0
  adds r5, #23
  bic r5, #3 @ bias
  add r5, r5, r12, lsl #2
  push {r4-r6}
  mov lr, sp
  ldrsb r2, [r5, #4]
  rsbs r2, r2, #0
  ble .Lleft
  sub r1, r0, r4
  adds r1, #20 @ weights less stride
  ldr r8, [r5]
  lsl r8, r8, #1
  ldrsb r7, [r0, #1] @ low
  ldrsb r6, [r0, #15] @ high
  ldrsb r3, [r0, #3] @ zpOut
  rsb r6, r6, #255
  add r3, r6
  add r6, r7
  mov r5, #0x01010101
  uxtb r7, r7
  mul r9, r6, r5
  mul r10, r7, r5
  push {r2, r3, r8-r12}

.Lturn: @ r12: rows to do, at least 1; row2: where the last turn ended, less stride
  cmp r12, #4
  ldm lr, {r2, r3, r8}
  add row0, row2, stride
  sub r3, r3, r12, lsl #2
  ldm r3, {r4-r7}
  blo .Ltwo
  add row2, row0, stride, lsl #1
  subs count, stride, #4
  blo .Lrest
  turns all
.Lrest:
  ands count, #3
  beq .Lrequantise
.Lbytes:
  ldrsb even, [patch], #1
  single row0, r4, r5
  single row2, r6, r7
  subs count, #1
  bne .Lbytes
.Lrequantise:
  ldmdb lr, {r2, r3, r8-r12}
#ifndef DENSE_ONLY
  cbz r2, .Lfar
#endif
  requantise r6
  requantise r7
.Lhalf:
  requantise r4
  requantise r5
.Lstore:
  bfi r4, r5, #8, #8
  bfi r4, r6, #16, #8
  bfi r4, r7, #24, #8
  uqsub8 r4, r4, r9
  uadd8 r4, r4, r10
  subs r12, #4
  blo 1f
  str r4, [r11], #4
  strd r11, r12, [lr, #-8]
  bne .Lturn
  b 2f
#ifndef DENSE_ONLY
.Lfar: b .Lslow
#endif
1: strh r4, [r11], #2
  adds r12, #2
  mov row2, row0
  strd r11, r12, [lr, #-8]
  bgt .Lturn
2:
#ifndef DENSE_ONLY
  sub r3, sp, lr
  adds r3, #28
  bne 3f @ a job of layer.c
#endif
  add sp, #40
  movs r0, #0
3: pop {r4-r11, pc}

.Ltwo: @ two rows, or one twice
  mov count, stride
  cmp r12, #2
  it lo
  movlo stride, #0
  subs count, #4
  blo 3f
  turns two
3: ands count, #3
  bne 4f
  ldmdb lr, {r2, r3, r8-r12}
#ifndef DENSE_ONLY
  cbz r2, .Lslow
#endif
  b .Lhalf
4: mov row2, row0 @ the rest goes to r6 and r7 for nothing
  b .Lbytes

.Lleft:
#ifndef DENSE_ONLY
  mov r1, r6
  mov r2, r11
#endif
  add sp, #12
  pop {r4-r11, lr}
  b .Lother

#ifndef DENSE_ONLY
/* void rows(struct job *, const int8_t *weights) */
  .global rows
  .thumb_func
rows:
  push {r4-r11, lr}
  add lr, r0, #28
  ldr r12, [lr, #-4]
  ldr r4, [lr]
  subs row2, r1, r4
  b .Lturn

.Lslow: @ a multiplier and shift a row, or no shift to the right
  push {r0, r1, r9}
  ldrd r2, r0, [lr, #12] @ step, multipliers
  ldr r1, [lr, #20] @ shifts
  mul r8, r2, r12
  sub r0, r0, r8, lsl #2
  subs r1, r1, r8
  ldr r8, [r1]
  and r8, #0x80808080
  cmp r8, #0x80808080
  bne 4f
  cbz r2, 4f
  each r4
  each r5
  each r6
  each r7
  b 5f
4: movs r8, #4 @ any shift; one row at a time, in r4
1: ldr r9, [r0]
  add r0, r0, r2, lsl #2
  lsls r9, r9, #1
  it eq
  moveq r4, #0 @ a scale below 2^-32; SMMLAR takes multipliers from 2^30
  ldrsb r12, [r1]
  add r1, r1, r2
  cmp r12, #0
  it gt
  lslgt r4, r4, r12
  smmlar r4, r4, r9, r4
  bge 2f
  rsb r12, r12, #0
  add r4, r4, r4, asr #31
  asrs r4, r4, r12
  adc r4, r4, #0
2: qadd r4, r4, r3
  usat r9, #8, r4
  mov r4, r5
  mov r5, r6
  mov r6, r7
  mov r7, r9
  subs r8, #1
  bne 1b
  ldr r12, [lr, #-4]
5: pop {r0, r1, r9}
  b .Lstore
#endif
