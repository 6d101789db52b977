// What emu.h and hopper.h say of sm_90a; a part of emu.cpp, which includes it.
// Copies of boxes happen when issued or when nothing else can go on; a warp's part
// of a product reads its operands when issued or when waited for. In between the
// destination holds NaN.
namespace emu {

u32 sharedAddress(const void* p) {
	if ((const char*)p < sharedBase || (const char*)p >= sharedBase + sharedUsed) fail("an address that is not in shared memory");
	return (u32)((const char*)p - sharedAndGuards);
}

char* dynamicShared() {
	if (!dynamicBytes) fail("no shared memory was asked for");
	if (sharedUsed && sharedBase == sharedMemory) fail("two kinds of shared memory");
	sharedBase = sharedMemory + 16, sharedUsed = dynamicBytes;
	return sharedBase;
}

// Barriers.

struct Barrier {
	u64* at;
	u32 expected, pending;
	long bytes; // still to come in this phase
	u32 phase;
	int owner;  // who initialised it and has not yet made it known to the copies; -1: it is
	bool seen;  // whether someone has waited for the phase before this
};
static std::vector<Barrier> barriers; // of the block

static Barrier& find(u64* b) {
	for (Barrier& x : barriers)
		if (x.at == b) return x;
	fail("a barrier that was not initialised");
}

void barrierInit(u64* b, u32 arrivals) {
	if ((uintptr_t)b % 8) fail("a barrier that is not aligned to 8 bytes");
	sharedAddress((char*)b + 7);
	for (Barrier& x : barriers)
		if (x.at == b) fail("a barrier is initialised twice");
	memset(b, 0xb5, 8);
	barriers.push_back({b, arrivals, arrivals, 0, 0, int(self - fibers), true});
}

void barriersReady() {
	for (Barrier& x : barriers)
		if (x.owner == self - fibers) x.owner = -1;
}

// Ends the phase where nothing is missing.
static void settle(Barrier& b) {
	if (b.pending || b.bytes) return;
	b.phase++, b.pending = b.expected, b.seen = false;
	for (Fiber& f : fibers)
		if (f.state == AtPhase && f.barrier == b.at) f.state = Ready;
}

void arrive(u64* at, u32 bytes) {
	Barrier& b = find(at);
	if (!b.seen) fail("arrives at a barrier whose phase before nobody has waited for");
	if (!b.pending) fail("arrives at a barrier more often than it expects");
	b.bytes += bytes, b.pending--;
	settle(b);
}

void await(u64* at, u32 parity) {
	if (parity > 1) fail("a parity that is neither 0 nor 1");
	if (manner & 16) return;
	while (find(at).phase % 2 == parity) {
		self->barrier = at;
		rest(AtPhase);
	}
	find(at).seen = true;
}

// What this thread's copies of 16 bytes have written is known to products from now on.
void asyncFence() {
	for (void* p : self->written) {
		unsigned short& who = unknown[((char*)p - sharedAndGuards) / 16];
		if (who == self - fibers + 1) who = 0;
	}
	self->written.clear();
}

// Copies of boxes.

// A matrix of rows and columns of 2 bytes as the host describes it; see package emu.
struct Matrix { u64 base, rows, columns, boxRows, boxColumns; };
static Matrix matrixOf(const TensorMap& map) { return {map.opaque[0], map.opaque[1], map.opaque[2], map.opaque[3], map.opaque[4]}; }

struct Box { char* to; Matrix map; int x, y; u64* barrier; };
static std::vector<Box> boxes; // under way

// Where the swizzle of 128 bytes has what is at this address without it.
static char* swizzled(char* p) {
	size_t a = p - sharedAndGuards;
	return sharedAndGuards + (a ^ (a >> 7 & 7) << 4);
}

static void perform(const Box& b) {
	for (u64 r = 0; r < b.map.boxRows; r++)
		for (u64 c = 0; c < b.map.boxColumns; c++) {
			long long row = b.y + (long long)r, column = b.x + (long long)c;
			bool inside = row >= 0 && (u64)row < b.map.rows && column >= 0 && (u64)column < b.map.columns;
			unsigned short v = inside ? ((unsigned short*)b.map.base)[row * b.map.columns + column] : 0;
			memcpy(swizzled(b.to + r * 128 + c / 8 * 16) + c % 8 * 2, &v, 2);
		}
	Barrier& x = find(b.barrier);
	x.bytes -= b.map.boxRows * b.map.boxColumns * 2;
	settle(x);
}

// Lets one of the copies under way happen.
static void performOne(size_t i) {
	Box b = boxes[i];
	boxes.erase(boxes.begin() + i);
	perform(b);
}

void copyBox(void* to, const TensorMap& map, int x, int y, u64* barrier) {
	Matrix m = matrixOf(map);
	if (m.base % 16 || m.columns * 2 % 16 || !m.rows || !m.columns) fail("a matrix that no tensor map describes");
	if (m.boxColumns != 64 || m.boxRows < 1 || m.boxRows > 256) fail("a box that is not of rows of 128 bytes, or of too many");
	if (sharedAddress(to) % 1024) fail("a box with a swizzle of 128 bytes that does not begin on a kilobyte");
	sharedAddress((char*)to + m.boxRows * 128 - 1);
	if (find(barrier).owner >= 0) fail("a copy to a barrier that was not made known to it");
	Box b{(char*)to, m, x, y, barrier};
	if (manner & 2) return perform(b);
	memset(to, 0xff, m.boxRows * 128); // from now on nobody may read the old
	boxes.push_back(b);
}

// Products.

struct Issued {
	u64 a, b;
	int columns;
	float* d[32];
	const u32* registers[32];  // of a; null where that is a matrix
	u32 held[32][4];           // what those held
	std::vector<float> values; // [32][columns/2]: what d held, then the result
	bool follows, done;        // follows: d is that of a product under way
};
struct Warp {
	std::vector<std::vector<Issued>> groups; // committed, oldest first
	std::vector<Issued> open;
	size_t issued;
	bool fenced;
};
static Warp warps[mostThreads / 32];
static std::vector<std::pair<u64, u64>> issuedBy[mostThreads / 128]; // of each group of four warps

// The 8 numbers of 16 bytes that a descriptor has at row r, from column c on, of a
// matrix whose rows go along k, or, where across, along n.
static const unsigned short* rowOf(u64 descriptor, int r, int c, bool across) {
	size_t start = (descriptor & 0x3fff) << 4, leading = (descriptor >> 16 & 0x3fff) << 4, stride = (descriptor >> 32 & 0x3fff) << 4;
	if (descriptor >> 62 != 1) fail("a matrix without the swizzle of 128 bytes");
	if (descriptor >> 49 & 7) fail("a base offset, which is not emulated");
	if (start >> 7 & 7) fail("a matrix that does not begin on a kilobyte, without a base offset");
	if ((descriptor & ~(3ull << 62 | 7ull << 49 | 0x3fffull << 32 | 0x3fffull << 16 | 0x3fff))) fail("bits of a descriptor that mean nothing");
	if (across && start & 127) fail("a matrix across k that begins within a row, which is not emulated");
	if (!across && (start & 127) + c * 2 >= 128) fail("a matrix beyond its rows of 128 bytes");
	char* p = sharedAndGuards + start + r / 8 * stride + r % 8 * 128 + (across ? c / 64 * leading + c % 64 * 2 : c * 2);
	if (p < sharedBase || p + 16 > sharedBase + sharedUsed) fail("a matrix outside shared memory");
	p = swizzled(p);
	if (unknown[(p - sharedAndGuards) / 16]) fail("a product of what was copied without a fence for it");
	return (const unsigned short*)p;
}

static float widen(unsigned short bits) { return __uint_as_float((u32)bits << 16); }

static void compute(Issued& p, int warp) {
	static float a[16][16], b[16][256], d[16][256];
	bool across = p.registers[0];
	if (across) {
		// a: lane l has, in register e, row e%2·8 + l/4, columns e/2·8 + l%4·2 and the next.
		for (int l = 0; l < 32; l++)
			for (int e = 0; e < 4; e++) {
				if (p.registers[l][e] != p.held[l][e]) fail("registers of a product under way are changed");
				for (int h = 0; h < 2; h++) a[e % 2 * 8 + l / 4][e / 2 * 8 + l % 4 * 2 + h] = half(p.held[l][e], h);
			}
		for (int k = 0; k < 16; k++)
			for (int n = 0; n < p.columns; n += 8) {
				const unsigned short* row = rowOf(p.b, k, n, true);
				for (int e = 0; e < 8; e++) b[k][n + e] = widen(row[e]);
			}
	} else {
		for (int r = 0; r < 16; r++)
			for (int k = 0; k < 16; k++) a[r][k] = widen(rowOf(p.a, warp % 4 * 16 + r, k / 8 * 8, false)[k % 8]);
		for (int n = 0; n < p.columns; n++)
			for (int k = 0; k < 16; k += 8) {
				const unsigned short* row = rowOf(p.b, n, k, false);
				for (int e = 0; e < 8; e++) b[k + e][n] = widen(row[e]);
			}
	}
	// d: lane l has, for each e, row e/2%2·8 + l/4, column e/4·8 + l%4·2 + e%2.
	auto each = [&](auto f) {
		for (int l = 0; l < 32; l++)
			for (int e = 0; e < p.columns / 2; e++) f(p.values[l * (p.columns / 2) + e], d[e / 2 % 2 * 8 + l / 4][e / 4 * 8 + l % 4 * 2 + e % 2]);
	};
	each([](float v, float& x) { x = v; });
	for (int r = 0; r < 16; r++) {
		static double sum[256]; // products of bfloat16 are exact in float
		for (int n = 0; n < p.columns; n++) sum[n] = d[r][n];
		for (int k = 0; k < 16; k++)
			for (int n = 0; n < p.columns; n++) sum[n] += a[r][k] * b[k][n];
		for (int n = 0; n < p.columns; n++) d[r][n] = (float)sum[n];
	}
	each([](float& v, float x) { v = x; });
	p.done = true;
}

static bool untouched(const Issued& p) {
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < p.columns / 2; e++)
			if (__float_as_int(p.d[l][e]) != -1) return false;
	return true;
}

// The last product under way of the same registers.
static Issued* before(Warp& w, float* d) {
	for (auto p = w.open.rbegin(); p != w.open.rend(); ++p)
		if (p->d[0] == d) return &*p;
	for (auto g = w.groups.rbegin(); g != w.groups.rend(); ++g)
		for (auto p = g->rbegin(); p != g->rend(); ++p)
			if (p->d[0] == d) return &*p;
	return nullptr;
}

static void issue(Fiber* lanes) {
	int warp = int(lanes - fibers) / 32;
	Warp& w = warps[warp];
	const Lane& first = lanes[0].lane;
	auto& log = issuedBy[warp / 4];
	if (w.issued == log.size()) log.push_back({first.aMatrix, first.bMatrix});
	if (count % 128 && warp / 4 == count / 128) fail("a product by less than four warps");
	Issued p{};
	p.a = first.aMatrix, p.b = first.bMatrix, p.columns = first.columns;
	for (int l = 0; l < 32; l++)
		if (lanes[l].lane.aMatrix != log[w.issued].first || lanes[l].lane.bMatrix != log[w.issued].second) fail("threads of a group multiply different matrices");
	w.issued++;
	for (int l = 0; l < 32; l++) {
		p.d[l] = lanes[l].lane.c, p.registers[l] = lanes[l].lane.a;
		if (p.registers[l]) memcpy(p.held[l], p.registers[l], sizeof p.held[l]);
	}
	Issued* q = before(w, p.d[0]);
	p.follows = q != nullptr;
	if (q && !untouched(*q)) fail("registers of a product under way are changed");
	if (!q && !w.fenced) fail("a product without a fence before it");
	for (int l = 0; l < 32; l++)
		for (int e = 0; e < p.columns / 2; e++) {
			p.values.push_back(p.d[l][e]);
			memset(p.d[l] + e, 0xff, 4); // from now on nobody may read it
		}
	if (manner & 2) {
		if (q) p.values = q->values;
		compute(p, warp);
	}
	w.open.push_back(std::move(p));
}

static void productWait(Fiber* lanes) {
	int warp = int(lanes - fibers) / 32;
	Warp& w = warps[warp];
	w.fenced = false;
	while (!(manner & 16) && (int)w.groups.size() > lanes[0].lane.mask) {
		auto group = std::move(w.groups.front());
		w.groups.erase(w.groups.begin());
		std::vector<std::pair<float*, Issued*>> last;
		for (size_t i = 0; i < group.size(); i++) {
			Issued& p = group[i];
			if (!p.done) compute(p, warp);
			// What follows takes the result over; what does not is over.
			Issued* next = nullptr;
			for (size_t j = i + 1; j < group.size() && !next; j++)
				if (group[j].d[0] == p.d[0]) next = &group[j];
			for (auto& g : w.groups)
				for (auto& q : g)
					if (!next && q.d[0] == p.d[0]) next = &q;
			for (auto& q : w.open)
				if (!next && q.d[0] == p.d[0]) next = &q;
			if (next) {
				if (!next->done) next->values = p.values;
				continue;
			}
			if (!untouched(p)) fail("registers of a product under way are changed");
			for (int l = 0; l < 32; l++) memcpy(p.d[l], &p.values[l * (p.columns / 2)], p.columns / 2 * 4);
		}
	}
}

static void warpOperation(Operation op, Fiber* lanes) {
	Warp& w = warps[(lanes - fibers) / 32];
	switch (op) {
	case SyncWarp: break;
	case Product: issue(lanes); break;
	case ProductFence: w.fenced = true; break;
	case ProductCommit: w.groups.push_back(std::move(w.open)), w.open.clear(); break;
	case ProductWait: productWait(lanes); break;
	default: fail("no operation");
	}
}

static void beginHopper() {
	barriers.clear(), boxes.clear();
	if (dynamicBytes) memset(unknown, 0, sizeof unknown);
	for (auto& w : warps) w = {};
	for (auto& l : issuedBy) l.clear();
}

static void endHopper() {
	if (boxes.size()) fail("ends while boxes are being copied");
	for (auto& b : barriers) {
		if (b.bytes) fail("ends while a barrier expects bytes");
		u64 mark;
		memset(&mark, 0xb5, 8);
		if (*b.at != mark) fail("a barrier was written over");
	}
	for (auto& w : warps)
		if (w.open.size() || w.groups.size()) fail("ends with products that nobody waited for");
	for (int g = 0; g < mostThreads / 128; g++)
		for (int i = g * 4; i < g * 4 + 4; i++)
			if (i * 32 < count && warps[i].issued != issuedBy[g].size()) fail("threads of a group multiply different matrices");
}
}
