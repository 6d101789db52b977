// A process that runs the kernels on a processor. Package emu drives it through its
// standard input and output; emu.h says what is emulated.
#define SB_HOPPER
#include "../machine.cuh"
#include "../kernels.cu"
#include "faults.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

// A context is a stack and what a call must keep, pushed on it.
#if defined(__x86_64__)
struct Context { void* stack; };
extern "C" void emuSwitch(Context* from, Context* to);
asm(R"(
.text
emuSwitch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq (%rsi), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");
static void begin(Context* c, char* stack, size_t bytes, void (*entry)()) {
	void** top = (void**)(stack + bytes) - 2; // aligned as a call leaves it
	*top = (void*)entry;
	memset(top - 6, 0, 6 * sizeof(void*));
	c->stack = top - 6;
}
#else
#include <ucontext.h>
typedef ucontext_t Context;
static void emuSwitch(Context* from, Context* to) { swapcontext(from, to); }
static void begin(Context* c, char* stack, size_t bytes, void (*entry)()) {
	getcontext(c);
	c->uc_stack.ss_sp = stack, c->uc_stack.ss_size = bytes, c->uc_link = nullptr;
	makecontext(c, entry, 0);
}
#endif

namespace emu {
uint3 thread, block, threads, blocks;

static std::string launched; // the kernel that runs, for messages

[[noreturn]] static void fail(const std::string& what) {
	fprintf(stderr, "%s, block %u %u, thread %u: %s\n", launched.c_str(), block.x, block.y, thread.x, what.c_str());
	fflush(stderr);
	_exit(3);
}

enum State { Ready, AtBarrier, InWarp, AtPhase, Done };
struct Copy { void* to; const void* from; bool valid; };
struct Fiber {
	Context context;
	State state;
	u64* barrier; // AtPhase
	Lane lane;
	std::vector<std::vector<Copy>> groups; // committed, oldest first
	std::vector<Copy> open;                // not yet committed
	std::vector<void*> written;            // by copies, and not yet known to products
};

const size_t stackBytes = 128 << 10, sharedBytes = 48 << 10, mostSharedBytes = 227 << 10;
const int mostThreads = 512;
static char* stacks;
static Fiber fibers[mostThreads];
static Context scheduler;
static Fiber* self;
static int count, arrived, barrierAny, barrierResult;
const size_t guard = 4096; // before and after shared memory; must stay as it was
alignas(1024) static char sharedAndGuards[guard + mostSharedBytes + guard];
static char* const sharedMemory = sharedAndGuards + guard;
static char* sharedBase;    // what the kernel uses of it
static size_t sharedUsed;
static size_t dynamicBytes; // what the launch asks for
static void (*body)(); // calls the kernel with its arguments

// How freedom is used: bit 0 turns the order of threads around, bit 1 does copies
// when they are issued and not when they are waited for, bit 2 changes the order
// every turn. Two bits are faults, to see that they are found: bit 3 leaves out
// barriers, bit 4 waits for copies. Bit 5 lets a warp go on as far as it can.
static int manner;

void* shared(size_t bytes) {
	if (bytes > sharedBytes) fail("more than 48 KiB of shared memory");
	if (sharedUsed && sharedUsed != bytes) fail("two declarations of shared memory");
	sharedBase = sharedMemory, sharedUsed = bytes;
	return sharedMemory;
}

static void rest(State s) {
	self->state = s;
	Fiber* me = self;
	emuSwitch(&me->context, &scheduler);
}

int barrier(int any) {
	barrierAny |= any != 0;
	if (++arrived == count) {
		barrierResult = barrierAny, barrierAny = 0, arrived = 0;
		for (int i = 0; i < count; i++)
			if (fibers[i].state == AtBarrier) fibers[i].state = Ready;
		int result = barrierResult;
		rest(Ready); // the others may go first
		return result;
	}
	rest(AtBarrier);
	return barrierResult;
}

void syncthreads() {
	if (!(manner & 8)) barrier(0);
}

// The thread, counted from 1, by whose copy 16 bytes were written that products do
// not know of.
static unsigned short unknown[sizeof sharedAndGuards / 16];

static void perform(const Copy& c) {
	if (c.valid) memcpy(c.to, c.from, 16);
	else memset(c.to, 0, 16);
	if (dynamicBytes) unknown[((char*)c.to - sharedAndGuards) / 16] = (unsigned short)(self - fibers + 1), self->written.push_back(c.to);
}

void copy(void* to, const void* from, bool valid) {
	if ((uintptr_t)to % 16 || (uintptr_t)from % 16) fail("an asynchronous copy of 16 bytes that is not aligned to 16");
	if ((char*)to < sharedBase || (char*)to + 16 > sharedBase + sharedUsed) fail("an asynchronous copy outside shared memory");
	Copy c{to, from, valid};
	if (manner & 2) perform(c);
	else memset(to, 0xff, 16), self->open.push_back(c); // from now on nobody may read the old
}
void commit() { self->groups.push_back(std::move(self->open)), self->open.clear(); }
void wait(int pending) {
	if (manner & 16) return;
	while ((int)self->groups.size() > pending) {
		for (auto& c : self->groups.front()) perform(c);
		self->groups.erase(self->groups.begin());
	}
}

static float half(u32 pair, int which) { return __uint_as_float(which ? pair & 0xffff0000u : pair << 16); }

static void multiply(Fiber* lanes) {
	// a [16, 16]: register e has rows l/4 + 8·(e%2), columns 2·(l%4) + 8·(e/2) and the next.
	// b [16, 8]: register e has rows 2·(l%4) + 8·e and the next, column l/4.
	static float a[16][16], b[16][8];
	for (int l = 0; l < 32; l++) {
		const Lane& x = lanes[l].lane;
		for (int e = 0; e < 4; e++)
			for (int h = 0; h < 2; h++) a[l / 4 + 8 * (e % 2)][2 * (l % 4) + 8 * (e / 2) + h] = half(x.a[e], h);
		for (int h = 0; h < 2; h++) b[2 * (l % 4) + h][l / 4] = half(x.b0, h), b[2 * (l % 4) + 8 + h][l / 4] = half(x.b1, h);
	}
	// c [16, 8]: elements 0 and 1 in row l/4, 2 and 3 in row l/4 + 8, columns 2·(l%4) and the next.
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < 4; e++) {
			int r = l / 4 + 8 * (e / 2), n = 2 * (l % 4) + e % 2;
			double sum = lanes[l].lane.c[e]; // products of bfloat16 are exact in float
			for (int k = 0; k < 16; k++) sum += a[r][k] * b[k][n];
			lanes[l].lane.c[e] = (float)sum;
		}
}

static void loadMatrices(Fiber* lanes, bool transposed) {
	for (int l = 0; l < 32; l++) {
		const char* row = (const char*)lanes[l].lane.row;
		if ((uintptr_t)row % 16) fail("a matrix row that is not aligned to 16 bytes");
		if (row < sharedBase || row + 16 > sharedBase + sharedUsed) fail("a matrix row outside shared memory");
	}
	for (int m = 0; m < 4; m++) {
		unsigned short matrix[8][8];
		for (int r = 0; r < 8; r++) memcpy(matrix[r], lanes[m * 8 + r].lane.row, 16);
		for (int l = 0; l < 32; l++) {
			int r = l / 4, c = l % 4 * 2;
			lanes[l].lane.r[m] = transposed ? matrix[c][r] | (u32)matrix[c + 1][r] << 16 : matrix[r][c] | (u32)matrix[r][c + 1] << 16;
		}
	}
}

static void shuffleAll(Fiber* lanes) {
	u32 in[32];
	for (int l = 0; l < 32; l++) in[l] = lanes[l].lane.value;
	for (int l = 0; l < 32; l++) {
		if (lanes[l].lane.mask != lanes[0].lane.mask) fail("lanes shuffle by different masks");
		lanes[l].lane.value = in[l ^ lanes[l].lane.mask];
	}
}

static int waiting[mostThreads / 32]; // lanes of each warp, and for what
static Operation waitingFor[mostThreads / 32];
}
#include "hopper.cpp"

namespace emu {

u32 together(const Lane& lane) {
	Fiber* me = self;
	me->lane = lane;
	Fiber* lanes = fibers + (me - fibers) / 32 * 32;
	int& here = waiting[(me - fibers) / 32];
	if (here && waitingFor[(me - fibers) / 32] != lane.op) fail("the lanes of a warp do different things");
	waitingFor[(me - fibers) / 32] = lane.op;
	if (++here < 32) {
		rest(InWarp);
		return me->lane.value;
	}
	here = 0;
	switch (lane.op) {
	case Shuffle: shuffleAll(lanes); break;
	case Load: loadMatrices(lanes, false); break;
	case LoadTransposed: loadMatrices(lanes, true); break;
	case Multiply: multiply(lanes); break;
	default: warpOperation(lane.op, lanes);
	}
	for (int l = 0; l < 32; l++)
		if (lanes + l != me) lanes[l].state = Ready;
	return me->lane.value;
}

static void entry() {
	body();
	if (self->open.size()) fail("ends with asynchronous copies that were not committed");
	self->state = Done;
	Fiber* me = self;
	emuSwitch(&me->context, &scheduler);
}

// Lets every thread go on until it must wait; says whether some could.
static bool takeTurns(unsigned turn, int& left) {
	int all = 32; // a power of two
	while (all < count) all *= 2;
	bool moved = false;
	unsigned step = manner & 4 ? (turn * 2654435761u >> 7 & 0xfe) + 1 : 1; // odd: prime to it
	int span = manner & 32 ? 32 : all; // the threads that go on for as long as they can
	for (int first = 0; first < all; first += span)
		for (bool again = true; again;) {
			again = false;
			for (int n = 0; n < span; n++) {
				int i = first + (int)(n * step % span);
				if (manner & 1) i = all - 1 - i;
				if (i >= count || fibers[i].state != Ready) continue;
				self = fibers + i, thread = {(unsigned)i, 0, 0};
				emuSwitch(&scheduler, &self->context);
				moved = true, again = manner & 32;
				if (self->state == Done) left--;
			}
		}
	return moved;
}

static void runBlock() {
	count = (int)threads.x, arrived = barrierAny = 0, sharedUsed = 0;
	size_t poisoned = guard + (dynamicBytes ? dynamicBytes + 16 : sharedBytes) + guard;
	memset(sharedAndGuards, 0xff, poisoned); // NaN, or an index of -1
	if (!stacks) stacks = (char*)aligned_alloc(4096, stackBytes * mostThreads);
	for (int i = 0; i < count; i++) {
		Fiber& f = fibers[i];
		f.state = Ready, f.groups.clear(), f.open.clear(), f.written.clear();
		begin(&f.context, stacks + stackBytes * i, stackBytes, entry);
	}
	for (int& w : waiting) w = 0;
	beginHopper();
	unsigned turn = 0;
	for (int left = count; left; turn++) {
		bool moved = takeTurns(turn, left);
		if (boxes.size() && (!moved || (manner & 4 && turn % 3 == 0))) {
			performOne(manner & 4 ? turn % boxes.size() : manner & 1 ? boxes.size() - 1 : 0);
		} else if (!moved && left) fail("threads wait for others that have ended, or for one another");
	}
	if (arrived) fail("some threads end where others wait");
	endHopper();
	for (const char* p = sharedAndGuards; p < sharedAndGuards + poisoned; p++)
		if (*p != (char)0xff && (p < sharedBase || p >= sharedBase + sharedUsed)) fail("a write outside shared memory");
}

// Arguments of a launch: their kinds and bits, as package device has them.
struct Argument { unsigned char kind; uint64_t bits; TensorMap map; };
static std::vector<Argument> arguments;

template <class A> static A argument(size_t i) {
	const bool map = std::is_same<A, TensorMap>::value;
	unsigned char want = std::is_pointer<A>::value ? 0 : std::is_floating_point<A>::value ? 3 : map ? 4 : 1;
	if (arguments[i].kind != want) fail("argument " + std::to_string(i) + " is of another type");
	A a;
	memcpy(&a, map ? (void*)&arguments[i].map : &arguments[i].bits, sizeof a);
	return a;
}
template <class... A, size_t... I> static void callWith(void (*f)(A...), std::index_sequence<I...>) { f(argument<A>(I)...); }
template <class... A> static void call(void (*f)(A...)) {
	if (arguments.size() != sizeof...(A)) fail("takes " + std::to_string(sizeof...(A)) + " arguments, was given " + std::to_string(arguments.size()));
	callWith(f, std::index_sequence_for<A...>());
}

#define NAME(k) {#k, [] { call(k); }}
#define NAMES(S) NAME(sb_embed_##S), NAME(sb_rmsnorm_##S), NAME(sb_rope_##S), NAME(sb_qkv_##S), NAME(sb_gemm_store_##S), NAME(sb_gemm_add_##S), NAME(sb_gemm_swiglu_##S), \
	NAME(sb_attention_32_##S), NAME(sb_attention_64_##S), NAME(sb_attention_96_##S), NAME(sb_attention_128_##S), NAME(sb_attention_192_##S), NAME(sb_attention_256_##S), \
	NAME(sb_observe_##S), NAME(sb_head_##S)
#define KINDS(D) NAME(sb_attention_##D##_softmax_wgmma), NAME(sb_attention_##D##_softpick_wgmma), NAME(sb_attention_##D##_rectified_wgmma), \
	NAME(sb_attention_##D##_masked_softmax_wgmma), NAME(sb_attention_##D##_softmax_plus_one_wgmma)
static const std::map<std::string, void (*)()> kernels = {NAME(sb_gather), NAME(sb_head_merge), NAMES(f32), NAMES(bf16),
	NAME(sb_gemm_store_wgmma), NAME(sb_gemm_add_wgmma), NAME(sb_gemm_swiglu_wgmma), NAME(sb_qkv_wgmma), NAME(sb_head_wgmma),
	KINDS(64), KINDS(128), NAME(emu_fault), NAME(emu_fault_across)};

static void get(void* to, size_t n) {
	if (n && fread(to, 1, n, stdin) != n) _exit(0); // the other side is gone
}
static uint64_t number() {
	uint64_t x;
	get(&x, 8);
	return x;
}
static void put(const void* from, size_t n) { fwrite(from, 1, n, stdout); }

// Memory ends where a page that nobody may touch begins; every bit of it is set.
static uint64_t allocate(uint64_t bytes) {
	const uint64_t page = 4096;
	uint64_t size = (bytes + page - 1) / page * page;
	char* p = (char*)mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + page, size, PROT_READ | PROT_WRITE)) fail("out of memory");
	memset(p + page, 0xff, size);
	return (uint64_t)(p + page);
}

static void launch() {
	launched.resize(number());
	get(&launched[0], launched.size());
	blocks.x = (unsigned)number(), blocks.y = (unsigned)number(), threads = {(unsigned)number(), 1, 1};
	dynamicBytes = number();
	arguments.resize(number());
	for (auto& a : arguments) {
		a.kind = (unsigned char)number(), a.bits = number();
		if (a.kind == 4) // a matrix: its address, rows, columns, and of boxes
			for (int i = 0; i < 5; i++) a.map.opaque[i] = i ? number() : a.bits;
	}
	auto k = kernels.find(launched);
	if (k == kernels.end()) fail("no such kernel");
	if (threads.x > mostThreads || threads.x % 32) fail("a block of " + std::to_string(threads.x) + " threads");
	if (dynamicBytes + 16 > mostSharedBytes) fail("more shared memory than a block may have");
	body = k->second;
	for (block.y = 0; block.y < blocks.y; block.y++)
		for (block.x = 0; block.x < blocks.x; block.x++) runBlock();
}
}

int main() {
	using namespace emu;
	signal(SIGSEGV, [](int) { fail("an access outside memory"); });
	for (;;) {
		char what;
		get(&what, 1);
		switch (what) {
		case 'm': manner = (int)number(); break;
		case 'a': {
			uint64_t p = allocate(number());
			put(&p, 8);
			break;
		}
		case 'u': {
			char* to = (char*)number();
			size_t n = number();
			get(to, n);
			break;
		}
		case 'd': {
			char* from = (char*)number();
			put(from, number());
			break;
		}
		case 'l': launch(); break;
		case 's': put("s", 1); break;
		default: return 4;
		}
		fflush(stdout);
	}
}
