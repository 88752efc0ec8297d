/* The source of every file in this folder but itself; scripts/make_binaries.py compiles it. */

#include <stddef.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#ifdef SAMPLE_WINDOWS
__declspec(dllimport) unsigned long __stdcall GetTickCount(void);
EXPORT void *PyInit_sample(void) { return (void *)(size_t)GetTickCount(); }
int __stdcall DllMainCRTStartup(void *module, unsigned long reason, void *reserved) { return 1; }
#else
extern void *PyModule_Create2(void *definition, int api_version);
extern void *memcpy(void *to, const void *from, size_t size);
extern size_t strlen(const char *text);

static char buffer[64];

__attribute__((noinline)) static int fill(const char *text, size_t size) {
    memcpy(buffer, text, size);
    return buffer[0];
}

EXPORT void *PyInit_sample(void) {
    return PyModule_Create2(buffer, fill("sample", strlen(buffer)));
}

#ifdef SAMPLE_TEXTREL
/* An address inside of the code, which the loader has to write there. */
__asm__(".text\n.long PyInit_sample\n");
#endif

#ifdef SAMPLE_PROGRAM
void *PyModule_Create2(void *definition, int api_version) { return definition; }
int main(void) { return PyInit_sample() == NULL; }
#endif
#endif
