/*
 * Runs a blob on an emulated Cortex-M4: qemu-system-arm -M mps2-an386 -semihosting -kernel
 * harness.elf, in a folder with a file `calls`; it writes a file `results`.
 *
 * calls, numbers of 32 bits: bytes of code, the code; then for each call bytes of memory, where in
 * it layer, input, output and scratch lie, and the memory. results, for each call: what the code
 * returned, then the memory as the code left it.
 */
#include <stdint.h>

enum { OPEN = 1, WRITE = 5, READ = 6, EXIT_EXTENDED = 0x20 };
enum { READ_BINARY = 1, WRITE_BINARY = 5, APPLICATION_EXIT = 0x20026 };
enum { CODE_BYTES = 4096, MEMORY_BYTES = 1 << 20 };

struct call {
  uint32_t bytes, layer, input, output, scratch;
};

typedef int (*layer_function)(const uint8_t *, const int8_t *, int8_t *, int8_t *);

/* harness.ld puts it where gateway/bench/thumb-emulator.ts counts instructions. */
__attribute__((section(".code"))) static uint8_t code[CODE_BYTES];
__attribute__((aligned(16))) static uint8_t memory[MEMORY_BYTES];

static uint32_t host(uint32_t operation, uint32_t a, const void *b, uint32_t c) {
  uint32_t arguments[] = {a, (uint32_t)b, c};
  register uint32_t r0 __asm__("r0") = operation;
  register uint32_t *r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

__attribute__((noreturn)) static void leave(uint32_t status) {
  for (;;) host(EXIT_EXTENDED, APPLICATION_EXIT, (void *)status, 0);
}

static uint32_t open(const char *name, uint32_t bytes, uint32_t mode) {
  uint32_t arguments[] = {(uint32_t)name, mode, bytes};
  register uint32_t r0 __asm__("r0") = OPEN;
  register uint32_t *r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
  if (r0 == 0xffffffff) leave(3);
  return r0;
}

/* READ and WRITE give how many bytes they left out; no byte at all is the end of the calls. */
static void transfer(uint32_t operation, uint32_t file, const void *data, uint32_t bytes) {
  uint32_t left = host(operation, file, data, bytes);
  if (left > 0) leave(operation == READ && left == bytes ? 0 : 1);
}

__attribute__((noreturn)) void start(void) {
  uint32_t calls = open("calls", 5, READ_BINARY);
  uint32_t results = open("results", 7, WRITE_BINARY);
  uint32_t bytes;
  transfer(READ, calls, &bytes, sizeof bytes);
  if (bytes > CODE_BYTES) leave(2);
  transfer(READ, calls, code, bytes);
  for (;;) {
    struct call call;
    transfer(READ, calls, &call, sizeof call);
    if (call.bytes > MEMORY_BYTES) leave(2);
    transfer(READ, calls, memory, call.bytes);
    int result = ((layer_function)(code + 1))(memory + call.layer, (int8_t *)memory + call.input,
                                              (int8_t *)memory + call.output,
                                              (int8_t *)memory + call.scratch);
    transfer(WRITE, results, &result, sizeof result);
    transfer(WRITE, results, memory, call.bytes);
  }
}

/* A fault of the code ends the run with a status of its own. */
__attribute__((noreturn)) static void fault(void) { leave(4); }

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    (void *)0x20400000, start, fault, fault, fault, fault, fault,
};
