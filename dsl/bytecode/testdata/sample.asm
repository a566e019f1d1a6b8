program Sample: 35 slots, 14 constants, gas 5000
state
  r14 count: int
  r15 lines: list<Line, 20>
  r16 status: Status = done
command count
  r24 lines: list<Line, 20>
  r25 note: string = "a"
  decide chunk 2, reads count, writes count
  old.count in r32
  where matches(note, `^a+$`) in chunk 4
event counted
  r28 text: string
  upcast chunk 3 to counted@2
event counted@2
  r29 n: int
  apply chunk 1, reads count, writes count
derive twice: int in chunk 0, reads count
invariant 0 grows: state.count >= old.count

chunk 0 fn twice, gas 3
     0  add.i       r26, state.count, state.count  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 1 apply counted, gas 3
     0  add.i       state.count, state.count, event.n  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 2 decide count, gas 3
     0  call        0 "fn twice"  ; sample.agg:7:2
     1  move.w      r26, 0  ; sample.agg:8:4 apply
>    2  next.l      r26, cmd.lines, →6, +5
     3  field       counted@2.n, r27, 0
     4  emit        counted@2
     5  jump        →2, +1
>    6  builtin     r30, cmd.note, matches
     7  jnot        r30, →10, +2
     8  call        1 "apply counted"
     9  done        
>   10  reject      "grüße", no

chunk 3 upcast counted@1, gas 3
     0  builtin     counted@2.n, counted.text, len  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 4 where note, gas 3
     0  builtin     r30, r31, matches  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 5 invariant grows, gas 3
     0  le.w        r30, r32, state.count  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 6 shown, gas 3
     0  builtin     r31, state.count, string  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply

chunk 7 where qty, gas 3
     0  lt.w        r30, 0, r34  ; sample.agg:7:2
     1  ret           ; sample.agg:8:4 apply
