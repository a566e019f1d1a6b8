package vm

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/value"
)

// The word of a decimal: see package value.
const (
	bigBit = 1
	scale  = 126 // the scale, twice
	form   = scale | bigBit
)

// tens are the powers of ten that an int64 holds, each with what divides by it: for n < 2^57,
// n / ten is the upper half of by * (n << 7), shifted down. by is 2^(57+shift) / ten, rounded up,
// and ten <= 2^shift.
var tens = func() (t [19]power) {
	t[0].ten, t[0].by, t[0].limit = 1, 1<<57, math.MaxInt64
	for i := 1; i < len(t); i++ {
		ten := t[i-1].ten * 10
		l := bits.Len64(ten)
		hi, lo := uint64(0), uint64(0)
		if l+57 >= 64 {
			hi = 1 << (l + 57 - 64)
		} else {
			lo = 1 << (l + 57)
		}
		q, _ := bits.Div64(hi, lo, ten)
		t[i] = power{ten, q + 1, uint64(l), math.MaxInt64 / ten}
	}
	return t
}()

type power struct {
	ten, by, shift uint64
	limit          uint64 // ten times it is still an int64
}

// times is x times the power, false when that may be no int64.
func (p *power) times(x int64) (int64, bool) {
	return x * int64(p.ten), magnitude(x) <= p.limit
}

// like gives two numbers that compare as the decimals of the words do, if both are small and of
// one scale, or small and one of them zero.
func like(x, y uint64) (int64, int64, bool) {
	if (x^y)&form == 0 && x&bigBit == 0 {
		return int64(x), int64(y), true
	}
	a, b := int64(x&^form), int64(y&^form)
	return a, b, (x|y)&bigBit == 0 && (a == 0 || b == 0)
}

// fast runs until it meets an instruction that it leaves to step: any but the plainest case of
// an opcode, every fault, and the end. It then gives the place of that instruction, of which
// nothing has been done. Negative gas means that the instruction found too little.
//
// There is no call in the loop: around one Go would keep its variables in memory. Slots are read
// without bounds checks, which is sound because the program has been verified; the race
// detector's checkptr would ask for more, hence the pragma. The mask on the opcode tells Go that
// its jump table covers all there is. A jump goes to the instruction before its target, because the
// end of the loop goes to the next.
//
//go:nocheckptr
func (m *Machine) fast(ip unsafe.Pointer, gas int64) (unsafe.Pointer, int64) {
	r, code := unsafe.Pointer(unsafe.SliceData(m.frame)), m.code
	for {
		in := (*ins)(ip)
		switch in.op & opLast {
		case bytecode.OpGas:
			if gas -= price(in.c); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpMove:
			*at(r, in.a) = *at(r, in.b)
		case opUnwrap:
			if at(r, in.b).Ref == value.None.Ref {
				return ip, gas
			}
			*at(r, in.a) = *at(r, in.b)
		case bytecode.OpMoveW:
			at(r, in.a).W = at(r, in.b).W

		case bytecode.OpJump:
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			ip = unsafe.Add(code, uintptr(in.c))
		case bytecode.OpJumpIf:
			if at(r, in.a).W != 0 {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpNot:
			if at(r, in.a).W == 0 {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpNone:
			if at(r, in.a).Ref == value.None.Ref {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpSome:
			if at(r, in.a).Ref != value.None.Ref {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpEqW:
			if at(r, in.a).W == at(r, in.b).W {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpNeW:
			if at(r, in.a).W != at(r, in.b).W {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpLtW:
			if int64(at(r, in.a).W) < int64(at(r, in.b).W) {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpLeW:
			if int64(at(r, in.a).W) <= int64(at(r, in.b).W) {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpEqD:
			x, y, ok := like(at(r, in.a).W, at(r, in.b).W)
			if !ok {
				return ip, gas
			}
			if x == y {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpNeD:
			x, y, ok := like(at(r, in.a).W, at(r, in.b).W)
			if !ok {
				return ip, gas
			}
			if x != y {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpLtD:
			x, y, ok := like(at(r, in.a).W, at(r, in.b).W)
			if !ok {
				return ip, gas
			}
			if x < y {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case opJumpNegD: // of any size: the sign is the word's
			if int64(at(r, in.a).W) < 0 {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
		case bytecode.OpJumpLeD:
			x, y, ok := like(at(r, in.a).W, at(r, in.b).W)
			if !ok {
				return ip, gas
			}
			if x <= y {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}

		case bytecode.OpCall:
			if gas -= price(in.b); metered && gas < 0 {
				return ip, gas
			}
			m.stack[m.sp] = uint32(uintptr(ip) - uintptr(code))
			m.sp++
			ip = unsafe.Add(code, uintptr(in.c))
		case bytecode.OpRet:
			if m.sp == 0 {
				return ip, gas
			}
			m.sp--
			ip = unsafe.Add(code, uintptr(m.stack[m.sp]))

		case opMovesEmit:
			e := (*ins)(unsafe.Add(ip, uintptr(in.n)*insSize))
			n, from, k := int(e.b), m.nvals, m.nevents
			mem := m.mem - int64(n+1)*cellBytes
			if from+n > len(m.vals) || k >= len(m.events) || mem < 0 {
				return ip, gas
			}
			m.mem, m.nvals, m.nevents = mem, from+n, k+1
			m.events[k] = emitted{e.c, uint32(from)}
			vals := unsafe.Add(unsafe.Pointer(unsafe.SliceData(m.vals)), uintptr(from)*cellSize)
			for ; in != e; in = (*ins)(unsafe.Add(unsafe.Pointer(in), insSize)) {
				v, slot, val := at(r, in.b), at(r, in.a), at(vals, in.c)
				w, ref := v.W, v.Ref
				slot.W, val.W = w, w
				slot.Ref, val.Ref = ref, ref // together, so that Go asks the garbage collector once
			}
			ip = unsafe.Pointer(e)
		case bytecode.OpEmit:
			n, from, k := int(in.b), m.nvals, m.nevents
			mem := m.mem - int64(n+1)*cellBytes
			if from+n > len(m.vals) || k >= len(m.events) || mem < 0 {
				return ip, gas
			}
			m.mem, m.nvals, m.nevents = mem, from+n, k+1
			m.events[k] = emitted{in.c, uint32(from)}
			for i := range n {
				m.vals[from+i] = *at(r, in.a+uint32(i)*uint32(cellSize))
			}

		case bytecode.OpNot:
			at(r, in.a).W = at(r, in.b).W ^ 1
		case bytecode.OpEqW:
			at(r, in.a).W = word(at(r, in.b).W == at(r, in.c).W)
		case bytecode.OpNeW:
			at(r, in.a).W = word(at(r, in.b).W != at(r, in.c).W)
		case bytecode.OpLtW:
			at(r, in.a).W = word(int64(at(r, in.b).W) < int64(at(r, in.c).W))
		case bytecode.OpLeW:
			at(r, in.a).W = word(int64(at(r, in.b).W) <= int64(at(r, in.c).W))
		case bytecode.OpEqD:
			x, y, ok := like(at(r, in.b).W, at(r, in.c).W)
			if !ok {
				return ip, gas
			}
			at(r, in.a).W = word(x == y)
		case bytecode.OpNeD:
			x, y, ok := like(at(r, in.b).W, at(r, in.c).W)
			if !ok {
				return ip, gas
			}
			at(r, in.a).W = word(x != y)
		case bytecode.OpLtD:
			x, y, ok := like(at(r, in.b).W, at(r, in.c).W)
			if !ok {
				return ip, gas
			}
			at(r, in.a).W = word(x < y)
		case bytecode.OpLeD:
			x, y, ok := like(at(r, in.b).W, at(r, in.c).W)
			if !ok {
				return ip, gas
			}
			at(r, in.a).W = word(x <= y)
		case bytecode.OpIsNone:
			at(r, in.a).W = word(at(r, in.b).Ref == value.None.Ref)
		case bytecode.OpIsSome:
			at(r, in.a).W = word(at(r, in.b).Ref != value.None.Ref)

		case bytecode.OpAddI:
			x, y := int64(at(r, in.b).W), int64(at(r, in.c).W)
			s := x + y
			if (x^s)&(y^s) < 0 {
				return ip, gas
			}
			at(r, in.a).W = uint64(s)
		case bytecode.OpSubI:
			x, y := int64(at(r, in.b).W), int64(at(r, in.c).W)
			s := x - y
			if (x^y)&(x^s) < 0 {
				return ip, gas
			}
			at(r, in.a).W = uint64(s)
		case bytecode.OpMulI:
			p, ok := times(int64(at(r, in.b).W), int64(at(r, in.c).W))
			if !ok {
				return ip, gas
			}
			at(r, in.a).W = uint64(p)
		case bytecode.OpMinI:
			at(r, in.a).W = uint64(min(int64(at(r, in.b).W), int64(at(r, in.c).W)))
		case bytecode.OpMaxI:
			at(r, in.a).W = uint64(max(int64(at(r, in.b).W), int64(at(r, in.c).W)))

		case bytecode.OpAddD:
			x, y := at(r, in.b).W, at(r, in.c).W
			s := int64(x&^form) + int64(y)
			if (x^y)&form == 0 && x&bigBit == 0 && (int64(x)^s)&(int64(y)^s) >= 0 {
				at(r, in.a).W = uint64(s)
				break
			}
			if x&scale < y&scale {
				x, y = y, x
			}
			d := (x&scale - y&scale) >> 1
			if (x|y)&bigBit != 0 || d >= 19 {
				return ip, gas
			}
			t, ok := tens[d].times(int64(y &^ form))
			s = int64(x) + t
			if !ok || (int64(x)^s)&(t^s) < 0 {
				return ip, gas
			}
			at(r, in.a).W = uint64(s)
		case bytecode.OpSubD:
			x, y := at(r, in.b).W, at(r, in.c).W
			s := int64(x) - int64(y&^form)
			if (x^y)&form == 0 && x&bigBit == 0 && (int64(x)^int64(y))&(int64(x)^s) >= 0 {
				at(r, in.a).W = uint64(s)
				break
			}
			if x&scale < y&scale || (x|y)&bigBit != 0 {
				return ip, gas
			}
			d := (x&scale - y&scale) >> 1
			if d >= 19 {
				return ip, gas
			}
			t, ok := tens[d].times(int64(y &^ form))
			s = int64(x) - t
			if !ok || (int64(x)^t)&(int64(x)^s) < 0 {
				return ip, gas
			}
			at(r, in.a).W = uint64(s)
		case bytecode.OpMulD:
			x, y := at(r, in.b).W, at(r, in.c).W
			p, ok := times(int64(x)>>7, int64(y&^form))
			s := x&scale + y&scale
			if !ok || (x|y)&bigBit != 0 || s > value.MaxScale<<1 {
				return ip, gas
			}
			at(r, in.a).W = uint64(p) | s
		case bytecode.OpNegD:
			x := at(r, in.b).W
			if x&bigBit != 0 || x&^form == 1<<63 {
				return ip, gas
			}
			at(r, in.a).W = -(x &^ form) | x&form
		case bytecode.OpAbsD:
			x := at(r, in.b).W
			if x&bigBit != 0 || x&^form == 1<<63 {
				return ip, gas
			}
			if int64(x) < 0 {
				x = -(x &^ form) | x&form
			}
			at(r, in.a).W = x
		case bytecode.OpMinD, bytecode.OpMaxD:
			v, w := at(r, in.b).W, at(r, in.c).W
			if (v|w)&bigBit != 0 {
				return ip, gas
			}
			x, y := int64(v&^form), int64(w&^form)
			if (v^w)&scale != 0 {
				// A sum in cents against a constant of fewer digits is common.
				ok := false
				if d := int64(v&scale-w&scale) >> 1; d >= 0 && d < 19 {
					y, ok = tens[d].times(y)
				} else if d > -19 && d < 0 {
					x, ok = tens[-d].times(x)
				}
				if !ok {
					return ip, gas
				}
			}
			if x != y && (x < y) != (in.n != 0) {
				v = w
			}
			at(r, in.a).W = v
		case bytecode.OpMulRoundD:
			// With at most as many digits dropped as an int64 has; the rest is rare.
			x, y, to := at(r, in.b).W, at(r, in.c).W, at(r, (*ins)(unsafe.Add(ip, insSize)).a).W
			s := (x&scale + y&scale) >> 1
			drop := s - to
			if (x|y)&bigBit != 0 || s > value.MaxScale || to > s || drop >= uint64(len(tens)) {
				return ip, gas
			}
			sign := uint64(int64(x^y) >> 63)
			hi, p := bits.Mul64(magnitude(int64(x)>>7), magnitude(int64(y&^form)))
			if hi|p>>63 != 0 {
				return ip, gas
			}
			// Division by a power of ten is a multiplication and a shift, exact below 2^57. Twice
			// the rest and the power are even, so an odd quotient decides what lies halfway.
			t := &tens[drop]
			q, _ := bits.Mul64(t.by, p)
			q >>= t.shift & 63
			if rest := p>>7 - q*t.ten; rest*2+q&1 > t.ten {
				q++
			}
			at(r, in.a).W = ((q^sign)-sign)<<7 | to<<1
			ip = unsafe.Add(ip, insSize)
		case opRate, opRateMax, opRateMin:
			// OpMulRoundD by a constant to a constant scale, and the choice between that and a constant.
			x, rate := at(r, in.b).W, &m.p.rates[in.c]
			drop := x&scale>>1 + rate.drop
			if x&bigBit != 0 || drop > rate.most {
				return ip, gas
			}
			hi, p := bits.Mul64(magnitude(int64(x)>>7), rate.by)
			if hi|p>>63 != 0 {
				return ip, gas
			}
			t := &tens[drop]
			q, _ := bits.Mul64(t.by, p)
			q >>= t.shift & 63
			if rest := p>>7 - q*t.ten; rest*2+q&1 > t.ten {
				q++
			}
			sign := uint64(int64(x) >> 63)
			w := ((q^sign)-sign)<<7 | rate.to
			at(r, in.a).W = w
			ip = unsafe.Add(ip, insSize)
			if in.op == opRate {
				break
			}
			ip = unsafe.Add(ip, insSize)
			if (int64(w) < rate.limit) != (in.op == opRateMin) {
				w = rate.konst
			}
			at(r, (*ins)(ip).a).W = w
		case bytecode.OpDecI:
			x := int64(at(r, in.b).W)
			if x<<7>>7 != x {
				return ip, gas
			}
			at(r, in.a).W = uint64(x) << 7

		case bytecode.OpField:
			*at(r, in.a) = *at(at(r, in.b).Ref, in.c)
		case bytecode.OpLen:
			at(r, in.a).W = at(r, in.b).W
		case bytecode.OpBound:
			if at(r, in.a).W > m.p.bounds[in.c] {
				return ip, gas
			}

		case bytecode.OpNextL:
			i, n := at(r, in.a).W, at(r, in.b).W
			if i >= n {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = i + 1
			*at(r, in.a+uint32(cellSize)) = *cellAt(at(r, in.b).Ref, uintptr(i)*cellSize)
		case opNextLR:
			i, n := at(r, in.a).W, at(r, in.b).W
			if i >= n {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = i + 1
			*at(r, in.a+uint32(cellSize)) = value.V{Ref: unsafe.Pointer(cellAt(at(r, in.b).Ref, uintptr(i)*uintptr(in.d)*cellSize))}
		case bytecode.OpNextS:
			i, n := at(r, in.a).W, at(r, in.b).W
			if i >= n {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = i + 1
			*at(r, in.a+uint32(cellSize)) = *keyAt(at(r, in.b).Ref, i)
		case bytecode.OpNextM:
			i, n := at(r, in.a).W, at(r, in.b).W
			if i >= n {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = i + 1
			*at(r, in.a+uint32(cellSize)) = *keyAt(at(r, in.b).Ref, i)
			*at(r, in.a+uint32(2*cellSize)) = *cellAt(at(r, in.b).Ref, uintptr(i)*cellSize)
		case opNextMR:
			i, n := at(r, in.a).W, at(r, in.b).W
			if i >= n {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = i + 1
			*at(r, in.a+uint32(cellSize)) = *keyAt(at(r, in.b).Ref, i)
			*at(r, in.a+uint32(2*cellSize)) = value.V{Ref: unsafe.Pointer(cellAt(at(r, in.b).Ref, uintptr(i)*uintptr(in.d)*cellSize))}
		case bytecode.OpNextR:
			i := int64(at(r, in.a).W)
			if i >= int64(at(r, in.b).W) {
				ip = unsafe.Add(code, uintptr(in.c))
				break
			}
			if gas -= price(in.n); metered && gas < 0 {
				return ip, gas
			}
			at(r, in.a).W = uint64(i + 1)
			at(r, in.a+uint32(cellSize)).W = uint64(i)

		case bytecode.OpSumColD:
			n := at(r, in.b).W
			if n == 0 {
				at(r, in.a).W = 0
				break
			}
			if metered && gas < int64(n) {
				return ip, gas
			}
			cell, stride := unsafe.Pointer(cellAt(at(r, in.b).Ref, uintptr(in.c))), uintptr(in.d)*cellSize
			// Deviations are gathered and looked at once, after the loop. Most columns hold numbers
			// of one form and sign that are far from the largest: their words are summed as they
			// are, and no partial sum can have been over.
			first := *(*uint64)(cell)
			raw, diff := first, uint64(0)
			for i := n; i != 1; i-- {
				cell = unsafe.Add(cell, stride)
				w := *(*uint64)(cell)
				raw += w
				diff |= w ^ first
			}
			// No number is further from zero than (far >> 32 + 1) << 32.
			last := *(*uint64)(cell)
			far := diff | last ^ uint64(int64(last)>>63)
			if diff&form|last&bigBit == 0 && n < 1<<31 && (far>>32+1)*n < 1<<31 {
				gas -= price(n)
				at(r, in.a).W = raw - (n-1)*(last&scale)
				break
			}
			// The others are summed from the last to the first.
			sum, over := int64(last&^form), int64(0)
			for i := n; i != 1; i-- {
				cell = unsafe.Add(cell, -stride)
				w := int64(*(*uint64)(cell) &^ form)
				s := sum + w
				over |= (sum ^ s) & (w ^ s)
				sum = s
			}
			if diff&form|last&bigBit != 0 || over < 0 {
				return ip, gas
			}
			gas -= price(n)
			at(r, in.a).W = uint64(sum) | last&scale
		case bytecode.OpSumColI:
			n := at(r, in.b).W
			if n == 0 {
				at(r, in.a).W = 0
				break
			}
			cell, stride := unsafe.Pointer(cellAt(at(r, in.b).Ref, uintptr(in.c))), uintptr(in.d)*cellSize
			sum, over := *(*int64)(cell), int64(0)
			for i := uint64(1); i < n; i++ {
				cell = unsafe.Add(cell, stride)
				w := *(*int64)(cell)
				s := sum + w
				over |= (sum ^ s) & (w ^ s)
				sum = s
			}
			if over < 0 || metered && gas < int64(n) {
				return ip, gas
			}
			gas -= price(n)
			at(r, in.a).W = uint64(sum)

		case bytecode.OpExt, opLast:
			return ip, gas
		default:
			return ip, gas
		}
		ip = unsafe.Add(ip, insSize)
	}
}

// at is the value at a distance in bytes from the first.
func at(first unsafe.Pointer, distance uint32) *value.V {
	return (*value.V)(unsafe.Add(first, uintptr(distance)))
}

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

// magnitude is |x|.
func magnitude(x int64) uint64 {
	sign := x >> 63
	return uint64((x ^ sign) - sign)
}

func word(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// price is n as gas.
func price[N uint8 | uint32 | uint64 | int64](n N) int64 {
	if !metered {
		return 0
	}
	return int64(n)
}
