;; withdraw over cents in i64. The account lies in memory: status at 0, balance at 8, how many
;; holds at 16, the event at 24 (amount) and 32 (fee); from 64 on the holds, amount and until.
;; "metered" is the same with gas written into it: one charge a block, and one for all rows before
;; the loop over them.
(module
  (memory (export "memory") 1)
  (global $gas (export "gas") (mut i64) (i64.const 0))

  (func $fee (param $amount i64) (result i64) (local $fee i64) (local $rest i64)
    (local.set $fee (i64.div_s (local.get $amount) (i64.const 100)))
    (local.set $rest (i64.rem_s (local.get $amount) (i64.const 100)))
    (if (i32.or (i64.gt_s (local.get $rest) (i64.const 50))
                (i32.and (i64.eq (local.get $rest) (i64.const 50))
                         (i32.wrap_i64 (i64.and (local.get $fee) (i64.const 1)))))
      (then (local.set $fee (i64.add (local.get $fee) (i64.const 1)))))
    (if (result i64) (i64.lt_s (local.get $fee) (i64.const 50))
      (then (i64.const 50)) (else (local.get $fee))))

  ;; a + b; traps when that leaves i64
  (func $add (param $a i64) (param $b i64) (result i64) (local $s i64)
    (local.set $s (i64.add (local.get $a) (local.get $b)))
    (if (i64.lt_s (i64.and (i64.xor (local.get $a) (local.get $s)) (i64.xor (local.get $b) (local.get $s))) (i64.const 0))
      (then unreachable))
    (local.get $s))

  (func $held (result i64) (local $at i32) (local $end i32) (local $sum i64) (local $s i64) (local $w i64)
    (local.set $at (i32.const 64))
    (local.set $end (i32.add (i32.const 64) (i32.shl (i32.load (i32.const 16)) (i32.const 4))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $w (i64.load (local.get $at)))
        (local.set $s (i64.add (local.get $sum) (local.get $w)))
        (if (i64.lt_s (i64.and (i64.xor (local.get $sum) (local.get $s)) (i64.xor (local.get $w) (local.get $s))) (i64.const 0))
          (then unreachable))
        (local.set $sum (local.get $s))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (local.get $sum))

  (func $finish (param $amount i64) (param $fee i64) (result i32) (local $balance i64)
    (i64.store (i32.const 24) (local.get $amount))
    (i64.store (i32.const 32) (local.get $fee))
    (local.set $balance (call $add (i64.load (i32.const 8))
      (i64.sub (i64.const 0) (call $add (i64.load (i32.const 24)) (i64.load (i32.const 32))))))
    (if (i64.lt_s (local.get $balance) (i64.const 0)) (then (return (i32.const 0))))
    (i64.store (i32.const 8) (local.get $balance))
    (i32.const 1))

  (func (export "withdraw") (param $amount i64) (result i32) (local $fee i64)
    (if (i32.or (i64.le_s (local.get $amount) (i64.const 0)) (i32.load (i32.const 0))) (then (return (i32.const 0))))
    (local.set $fee (call $fee (local.get $amount)))
    (if (i64.lt_s (call $add (i64.load (i32.const 8)) (i64.sub (i64.const 0) (call $held)))
                  (call $add (local.get $amount) (local.get $fee)))
      (then (return (i32.const 0))))
    (call $finish (local.get $amount) (local.get $fee)))

  (func $charge (param $n i64)
    (global.set $gas (i64.sub (global.get $gas) (local.get $n)))
    (if (i64.lt_s (global.get $gas) (i64.const 0)) (then unreachable)))

  (func (export "metered") (param $amount i64) (param $limit i64) (result i32) (local $fee i64)
    (global.set $gas (local.get $limit))
    (call $charge (i64.const 3))
    (if (i32.or (i64.le_s (local.get $amount) (i64.const 0)) (i32.load (i32.const 0))) (then (return (i32.const 0))))
    (call $charge (i64.add (i64.const 16) (i64.load (i32.const 16))))
    (local.set $fee (call $fee (local.get $amount)))
    (if (i64.lt_s (call $add (i64.load (i32.const 8)) (i64.sub (i64.const 0) (call $held)))
                  (call $add (local.get $amount) (local.get $fee)))
      (then (return (i32.const 0))))
    (call $charge (i64.const 16))
    (call $finish (local.get $amount) (local.get $fee)))
)
