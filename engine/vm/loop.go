package vm

import (
	"math/bits"
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// Opcodes that Load puts in the place of others; no program from outside has them.
const (
	opUnwrap  = bytecode.Op(bytecode.Count) + iota // a := b, which must be some
	opNextLR                                       // OpNextL over records
	opNextILR                                      // OpNextIL over records
	opNextMR                                       // OpNextM over records
	opBoundR                                       // OpBound of records with bounds within
	opTrap                                         // look into the code that is not traced
)

// The word of a decimal: see package value.
const (
	bigBit = 1
	scale  = 126 // the scale, twice
	form   = scale | bigBit
)

var pow10 = [19]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// tenth holds for each power of ten what divides by it: for n < 2^57, n / 10^i is the upper half
// of m * (n << 7), shifted down. m is 2^(57+shift) / 10^i, rounded up, and 10^i <= 2^shift.
var tenth = func() (t [19]struct {
	m     uint64
	shift uint8
}) {
	for i := 1; i < len(t); i++ {
		ten := uint64(pow10[i])
		l := bits.Len64(ten)
		hi, lo := uint64(0), uint64(0)
		if l+57 >= 64 {
			hi = 1 << (l + 57 - 64)
		} else {
			lo = 1 << (l + 57)
		}
		q, _ := bits.Div64(hi, lo, ten)
		t[i].m, t[i].shift = q+1, uint8(l)
	}
	return t
}()

// like gives two numbers that compare as the decimals of the words do, if both are small and of
// one scale, or small and one of them zero.
func like(x, y uint64) (int64, int64, bool) {
	if (x^y)&form|x&bigBit == 0 {
		return int64(x), int64(y), true
	}
	return int64(x &^ form), int64(y &^ form), (x|y)&bigBit == 0 && (x&^scale == 0 || y&^scale == 0)
}

// fast runs until it meets an instruction that it leaves to step: any but the plainest case of
// an opcode, every fault, and the end. It then gives the place of that instruction, of which
// nothing has been done. Negative gas means that the instruction found too little.
//
// There is no call in the loop: around one Go would keep its variables in memory. Slots are read
// without bounds checks, which is sound because the program has been verified. The race
// detector's checkptr would refuse the view of the frame as a larger array, hence the pragma.
//
//go:nocheckptr
func (m *Machine) fast(ip, base unsafe.Pointer, gas int64) (unsafe.Pointer, unsafe.Pointer, int64) {
	r := (*[1 << 16]value.V)(unsafe.Pointer(unsafe.SliceData(m.frame)))
	_ = r[0].W // here, so that no arm has to look whether r is nil
	none := value.None.Ref
	for {
		in := (*bytecode.Ins)(ip)
		switch in.Op {
		case bytecode.OpGas:
			if gas -= price(in.C); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpMove:
			r[in.A] = r[in.B]
		case opUnwrap:
			if r[in.B].Ref == none {
				return ip, base, gas
			}
			r[in.A] = r[in.B]
		case bytecode.OpMoveW:
			r[in.A].W = r[in.B].W

		case bytecode.OpJump:
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			ip = unsafe.Add(base, uintptr(in.C)*insSize)
			continue
		case bytecode.OpJumpIf:
			if r[in.A].W != 0 {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpNot:
			if r[in.A].W == 0 {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpNone:
			if r[in.A].Ref == none {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpSome:
			if r[in.A].Ref != none {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpEqW:
			if r[in.A].W == r[in.B].W {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpNeW:
			if r[in.A].W != r[in.B].W {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpLtW:
			if int64(r[in.A].W) < int64(r[in.B].W) {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpLeW:
			if int64(r[in.A].W) <= int64(r[in.B].W) {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpEqD:
			x, y, ok := like(r[in.A].W, r[in.B].W)
			if !ok {
				return ip, base, gas
			}
			if x == y {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpNeD:
			x, y, ok := like(r[in.A].W, r[in.B].W)
			if !ok {
				return ip, base, gas
			}
			if x != y {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpLtD:
			x, y, ok := like(r[in.A].W, r[in.B].W)
			if !ok {
				return ip, base, gas
			}
			if x < y {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
		case bytecode.OpJumpLeD:
			x, y, ok := like(r[in.A].W, r[in.B].W)
			if !ok {
				return ip, base, gas
			}
			if x <= y {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}

		case bytecode.OpCall:
			if gas -= price(m.p.gas[in.C]); metered && gas < 0 {
				return ip, base, gas
			}
			from := uintptr(m.code)
			m.stack[m.sp] = ret{uint32((uintptr(ip) - from) / insSize), uint32((uintptr(base) - from) / insSize)}
			m.sp++
			base = unsafe.Add(m.code, uintptr(m.p.starts[in.C])*insSize)
			ip = base
			continue
		case bytecode.OpRet:
			if m.sp == 0 {
				return ip, base, gas
			}
			m.sp--
			back := m.stack[m.sp]
			ip = unsafe.Add(m.code, uintptr(back.ip)*insSize)
			base = unsafe.Add(m.code, uintptr(back.base)*insSize)

		case bytecode.OpEmit:
			e := m.p.emits[in.C]
			at, n := len(m.vals), int(e.n)
			if at+n > cap(m.vals) || len(m.events) == cap(m.events) || m.mem < int64(n+1)*cellBytes {
				return ip, base, gas
			}
			m.mem -= int64(n+1) * cellBytes
			m.vals = m.vals[:at+n]
			for i := range m.vals[at:] {
				m.vals[at+i] = r[e.base+uint16(i)]
			}
			m.events = m.events[:len(m.events)+1]
			m.events[len(m.events)-1] = emitted{uint32(in.C), uint32(at)}

		case bytecode.OpNot:
			r[in.A].W = r[in.B].W ^ 1
		case bytecode.OpEqW:
			r[in.A].W = word(r[in.B].W == r[in.C].W)
		case bytecode.OpNeW:
			r[in.A].W = word(r[in.B].W != r[in.C].W)
		case bytecode.OpLtW:
			r[in.A].W = word(int64(r[in.B].W) < int64(r[in.C].W))
		case bytecode.OpLeW:
			r[in.A].W = word(int64(r[in.B].W) <= int64(r[in.C].W))
		case bytecode.OpEqD:
			x, y, ok := like(r[in.B].W, r[in.C].W)
			if !ok {
				return ip, base, gas
			}
			r[in.A].W = word(x == y)
		case bytecode.OpNeD:
			x, y, ok := like(r[in.B].W, r[in.C].W)
			if !ok {
				return ip, base, gas
			}
			r[in.A].W = word(x != y)
		case bytecode.OpLtD:
			x, y, ok := like(r[in.B].W, r[in.C].W)
			if !ok {
				return ip, base, gas
			}
			r[in.A].W = word(x < y)
		case bytecode.OpLeD:
			x, y, ok := like(r[in.B].W, r[in.C].W)
			if !ok {
				return ip, base, gas
			}
			r[in.A].W = word(x <= y)
		case bytecode.OpIsNone:
			r[in.A].W = word(r[in.B].Ref == none)
		case bytecode.OpIsSome:
			r[in.A].W = word(r[in.B].Ref != none)

		case bytecode.OpAddI:
			x, y := int64(r[in.B].W), int64(r[in.C].W)
			s := x + y
			if (x^s)&(y^s) < 0 {
				return ip, base, gas
			}
			r[in.A].W = uint64(s)
		case bytecode.OpSubI:
			x, y := int64(r[in.B].W), int64(r[in.C].W)
			s := x - y
			if (x^y)&(x^s) < 0 {
				return ip, base, gas
			}
			r[in.A].W = uint64(s)
		case bytecode.OpMulI:
			x, y := r[in.B].W, r[in.C].W
			hi, lo := bits.Mul64(x, y)
			hi -= uint64(int64(x)>>63)&y + uint64(int64(y)>>63)&x
			if hi != uint64(int64(lo)>>63) {
				return ip, base, gas
			}
			r[in.A].W = lo
		case bytecode.OpMinI:
			r[in.A].W = uint64(min(int64(r[in.B].W), int64(r[in.C].W)))
		case bytecode.OpMaxI:
			r[in.A].W = uint64(max(int64(r[in.B].W), int64(r[in.C].W)))

		case bytecode.OpAddD:
			x, y := r[in.B].W, r[in.C].W
			s := int64(x&^form) + int64(y)
			if (x^y)&form|x&bigBit == 0 && (int64(x)^s)&(int64(y)^s) >= 0 {
				r[in.A].W = uint64(s)
				break
			}
			if x&scale < y&scale {
				x, y = y, x
			}
			d := (x&scale - y&scale) >> 1
			if (x|y)&bigBit != 0 || d >= 19 {
				return ip, base, gas
			}
			t, ok := times(int64(y&^form), pow10[d])
			s = int64(x) + t
			if !ok || (int64(x)^s)&(t^s) < 0 {
				return ip, base, gas
			}
			r[in.A].W = uint64(s)
		case bytecode.OpSubD:
			x, y := r[in.B].W, r[in.C].W
			s := int64(x) - int64(y&^form)
			if (x^y)&form|x&bigBit == 0 && (int64(x)^int64(y))&(int64(x)^s) >= 0 {
				r[in.A].W = uint64(s)
				break
			}
			if x&scale < y&scale || (x|y)&bigBit != 0 {
				return ip, base, gas
			}
			d := (x&scale - y&scale) >> 1
			if d >= 19 {
				return ip, base, gas
			}
			t, ok := times(int64(y&^form), pow10[d])
			s = int64(x) - t
			if !ok || (int64(x)^t)&(int64(x)^s) < 0 {
				return ip, base, gas
			}
			r[in.A].W = uint64(s)
		case bytecode.OpMulD:
			x, y := r[in.B].W, r[in.C].W
			p, ok := times(int64(x)>>7, int64(y&^form))
			s := x&scale + y&scale
			if !ok || (x|y)&bigBit != 0 || s > value.MaxScale<<1 {
				return ip, base, gas
			}
			r[in.A].W = uint64(p) | s
		case bytecode.OpNegD:
			x := r[in.B].W
			if x&bigBit != 0 || x&^form == 1<<63 {
				return ip, base, gas
			}
			r[in.A].W = -(x &^ form) | x&form
		case bytecode.OpAbsD:
			x := r[in.B].W
			if x&bigBit != 0 || x&^form == 1<<63 {
				return ip, base, gas
			}
			if int64(x) < 0 {
				x = -(x &^ form) | x&form
			}
			r[in.A].W = x
		case bytecode.OpMinD, bytecode.OpMaxD:
			x, y, ok := like(r[in.B].W, r[in.C].W)
			if !ok {
				// A sum in cents against a constant of fewer digits is common.
				v, w := r[in.B].W, r[in.C].W
				d := int64(v&scale-w&scale) >> 1
				if (v|w)&bigBit != 0 || d <= -19 || d >= 19 {
					return ip, base, gas
				}
				if d < 0 {
					x, ok = times(x, pow10[-d])
				} else {
					y, ok = times(y, pow10[d])
				}
				if !ok {
					return ip, base, gas
				}
			}
			if x == y || (x < y) == (in.Op == bytecode.OpMinD) {
				r[in.A].W = r[in.B].W
			} else {
				r[in.A].W = r[in.C].W
			}
		case bytecode.OpMulRoundD:
			// Half even with at most as many digits dropped as an int64 has; the rest is rare.
			x, y, to := r[in.B].W, r[in.C].W, r[(*bytecode.Ins)(unsafe.Add(ip, insSize)).A].W
			p, ok := times(int64(x)>>7, int64(y&^form))
			s := (x&scale + y&scale) >> 1
			if !ok || (x|y)&bigBit != 0 || to > s || s > value.MaxScale || s-to >= 19 || value.Mode(in.N) != value.HalfEven {
				return ip, base, gas
			}
			c := p >> 7
			if s != to {
				// Division by a power of ten is a multiplication and a shift, exact below 2^57.
				by := &tenth[s-to]
				hi, _ := bits.Mul64(by.m, uint64((p^p>>63)-p>>63))
				q := hi >> by.shift
				rest := uint64((c^c>>63)-c>>63) - q*uint64(pow10[s-to])
				if twice, ten := rest*2, uint64(pow10[s-to]); twice > ten || twice == ten && q&1 != 0 {
					q++
				}
				sign := c >> 63
				c = (int64(q) ^ sign) - sign
			}
			r[in.A].W = uint64(c)<<7 | to<<1
			ip = unsafe.Add(ip, insSize)
		case bytecode.OpDecI:
			x := int64(r[in.B].W)
			if x<<7>>7 != x {
				return ip, base, gas
			}
			r[in.A].W = uint64(x) << 7

		case bytecode.OpField:
			r[in.A] = *(*value.V)(unsafe.Add(r[in.B].Ref, uintptr(in.C)*cellSize))
		case bytecode.OpLen:
			r[in.A].W = r[in.B].W
		case bytecode.OpBound:
			if r[in.A].W > m.p.bounds[in.C] {
				return ip, base, gas
			}

		case bytecode.OpNextL:
			i, n := r[in.A].W, r[in.B].W
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = i + 1
			r[in.A+1] = *cellAt(r[in.B].Ref, uintptr(i)*cellSize)
		case opNextLR:
			i, n := r[in.A].W, r[in.B].W
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = i + 1
			r[in.A+1] = value.V{Ref: unsafe.Pointer(cellAt(r[in.B].Ref, uintptr(i)*uintptr(m.p.strides[in.B])))}
		case bytecode.OpNextS:
			i, n := r[in.A].W, r[in.B].W
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = i + 1
			r[in.A+1] = *keyAt(r[in.B].Ref, i)
		case bytecode.OpNextM:
			i, n := r[in.A].W, r[in.B].W
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = i + 1
			r[in.A+1] = *keyAt(r[in.B].Ref, i)
			r[in.A+2] = *cellAt(r[in.B].Ref, uintptr(i)*cellSize)
		case opNextMR:
			i, n := r[in.A].W, r[in.B].W
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = i + 1
			r[in.A+1] = *keyAt(r[in.B].Ref, i)
			r[in.A+2] = value.V{Ref: unsafe.Pointer(cellAt(r[in.B].Ref, uintptr(i)*uintptr(m.p.strides[in.B])))}
		case bytecode.OpNextR:
			i, n := int64(r[in.A].W), int64(r[in.B].W)
			if i >= n {
				ip = unsafe.Add(base, uintptr(in.C)*insSize)
				continue
			}
			if gas -= price(in.N); metered && gas < 0 {
				return ip, base, gas
			}
			r[in.A].W = uint64(i + 1)
			r[in.A+1].W = uint64(i)

		case bytecode.OpSumColD:
			n := r[in.B].W
			if n == 0 {
				r[in.A].W = 0
				break
			}
			cell, stride := unsafe.Pointer(cellAt(r[in.B].Ref, uintptr(in.C)*cellSize)), uintptr(m.p.strides[in.B])
			// Deviations are gathered and looked at once, after the loop. Most columns hold numbers
			// of one form and sign that are far from the largest: their words are summed as they
			// are, and no partial sum can have been over.
			first := *(*uint64)(cell)
			if metered && gas < int64(n) {
				return ip, base, gas
			}
			at, raw, diff := cell, first, uint64(0)
			for i := n - 1; i != 0; i-- {
				at = unsafe.Add(at, stride)
				w := *(*uint64)(at)
				raw += w
				diff |= w ^ first
			}
			if diff&form|first&bigBit == 0 && bits.Len64(diff|first^uint64(int64(first)>>63))+bits.Len64(n) < 64 {
				gas -= price(n)
				r[in.A].W = raw - (n-1)*(first&form)
				break
			}
			sum, odd, over := int64(first&^form), first&bigBit, int64(0)
			for i := uint64(1); i < n; i++ {
				cell = unsafe.Add(cell, stride)
				w := *(*uint64)(cell)
				s := sum + int64(w&^form)
				odd |= (w ^ first) & form
				over |= (sum ^ s) & (int64(w) ^ s)
				sum = s
			}
			if odd != 0 || over < 0 {
				return ip, base, gas
			}
			gas -= price(n)
			r[in.A].W = uint64(sum) | first&scale
		case bytecode.OpSumColI:
			n := r[in.B].W
			if n == 0 {
				r[in.A].W = 0
				break
			}
			cell, stride := unsafe.Pointer(cellAt(r[in.B].Ref, uintptr(in.C)*cellSize)), uintptr(m.p.strides[in.B])
			sum, over := *(*int64)(cell), int64(0)
			for i := uint64(1); i < n; i++ {
				cell = unsafe.Add(cell, stride)
				w := *(*int64)(cell)
				s := sum + w
				over |= (sum ^ s) & (w ^ s)
				sum = s
			}
			if over < 0 || metered && gas < int64(n) {
				return ip, base, gas
			}
			gas -= price(n)
			r[in.A].W = uint64(sum)

		default:
			return ip, base, gas
		}
		ip = unsafe.Add(ip, insSize)
	}
}

const cellSize = unsafe.Sizeof(value.V{})

// cellBytes is what a cell counts for in memory, the same on every machine.
const cellBytes = 16

// cellAt is the cell at a distance in bytes from the first of a container.
func cellAt(rows unsafe.Pointer, at uintptr) *value.V {
	return (*value.V)(unsafe.Add(unsafe.Pointer(unsafe.SliceData((*value.Rows)(rows).Cells)), at))
}

// keyAt is key i of a map or member i of a set.
func keyAt(rows unsafe.Pointer, i uint64) *value.V {
	return (*value.V)(unsafe.Add(unsafe.Pointer(unsafe.SliceData((*value.Rows)(rows).Keys)), uintptr(i)*cellSize))
}

// times is x * y, false when that is no int64.
func times(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	hi -= uint64(x>>63)&uint64(y) + uint64(y>>63)&uint64(x)
	return int64(lo), hi == uint64(int64(lo)>>63)
}

func word(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// price is n as gas.
func price[N uint8 | uint16 | uint64 | int64](n N) int64 {
	if !metered {
		return 0
	}
	return int64(n)
}
