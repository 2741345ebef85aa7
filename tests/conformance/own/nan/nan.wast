;; Operations on signalling NaNs give quiet ones, also where a constant invites a compiler to drop
;; the operation.

(module
  (func $one32 (result v128) (v128.const f32x4 1 1 1 1))
  (func (export "f32x4 times 1") (param v128) (result v128)
    (f32x4.mul (local.get 0) (v128.const f32x4 1 1 1 1)))
  (func (export "f32x4 times -1") (param v128) (result v128)
    (f32x4.mul (v128.const f32x4 -1 -1 -1 -1) (local.get 0)))
  (func (export "f32x4 times a call") (param v128) (result v128)
    (f32x4.mul (call $one32) (local.get 0)))
  (func (export "f32x4 times a local") (param v128) (result v128) (local v128)
    (local.set 1 (v128.const f32x4 1 1 1 1))
    (f32x4.mul (local.get 1) (local.get 0)))
  (func (export "f32x4 times a splat") (param v128) (result v128)
    (f32x4.mul (local.get 0) (f32x4.splat (f32.const 1))))
  (func (export "f32x4 by 1") (param v128) (result v128)
    (f32x4.div (local.get 0) (v128.const f32x4 1 1 1 1)))
  (func (export "f32x4 by -1") (param v128) (result v128)
    (f32x4.div (local.get 0) (v128.const f32x4 -1 -1 -1 -1)))
  (func (export "f32x4 plus -0") (param v128) (result v128)
    (f32x4.add (local.get 0) (v128.const f32x4 -0 -0 -0 -0)))
  (func (export "f32x4 minus 0") (param v128) (result v128)
    (f32x4.sub (local.get 0) (v128.const f32x4 0 0 0 0)))
  (func (export "f32x4 from -0") (param v128) (result v128)
    (f32x4.sub (v128.const f32x4 -0 -0 -0 -0) (local.get 0)))
  (func (export "f32x4 minus a fresh local") (param v128) (result v128) (local v128)
    (f32x4.sub (local.get 0) (local.get 1)))
  (func (export "f32x4 of itself") (param v128) (result v128)
    (f32x4.min (f32x4.max (local.get 0) (local.get 0)) (local.get 0)))
  (func (export "f64x2 times 1") (param v128) (result v128)
    (f64x2.mul (local.get 0) (v128.const f64x2 1 1)))
  (func (export "f64x2 by 1") (param v128) (result v128)
    (f64x2.div (local.get 0) (v128.const f64x2 1 1)))
  (func (export "f64x2 plus -0") (param v128) (result v128)
    (f64x2.add (v128.const f64x2 -0 -0) (local.get 0)))
  (func (export "f64x2 minus 0") (param v128) (result v128)
    (f64x2.sub (local.get 0) (v128.const f64x2 0 0)))
  (func (export "f64x2 twice nearest") (param v128) (result v128)
    (f64x2.nearest (f64x2.nearest (local.get 0))))
  (func (export "wider and back") (param v128) (result v128)
    (f32x4.demote_f64x2_zero (f64x2.promote_low_f32x4 (local.get 0))))

  (func (export "f32 times a local") (param f32) (result f32) (local f32)
    (local.set 1 (f32.const 1))
    (f32.mul (local.get 1) (local.get 0)))
  (func (export "f32 minus a fresh local") (param f32) (result f32) (local f32)
    (f32.sub (local.get 0) (local.get 1)))
  (func (export "f64 minus a fresh local") (param f64) (result f64) (local f64)
    (f64.sub (local.get 0) (local.get 1)))
  (func (export "f64 times a converted 1") (param f64) (result f64)
    (f64.mul (local.get 0) (f64.convert_i32_s (i32.const 1))))
  (func (export "f64 times a lane") (param f64) (result f64)
    (f64.mul (local.get 0) (f64x2.extract_lane 1 (v128.const f64x2 2 1))))
  (func (export "f32 times a lane") (param f32) (result f32)
    (f32.mul (local.get 0) (f32x4.extract_lane 2 (v128.const f32x4 0 0 1 0))))
  (func (export "f64 times a reinterpreted 1") (param f64) (result f64)
    (f64.mul (local.get 0) (f64.reinterpret_i64 (i64.const 0x3ff0000000000000))))
)

(assert_return (invoke "f32x4 times 1"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 times -1"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 times a call"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 times a local"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 times a splat"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 by 1"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 by -1"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 plus -0"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 minus 0"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 from -0"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 minus a fresh local"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f32x4 of itself"
    (v128.const i32x4 0x7fa00001 0xffa00001 0x7fa00001 0xffa00001))
  (v128.const f32x4 nan:arithmetic nan:arithmetic nan:arithmetic nan:arithmetic))

(assert_return (invoke "f64x2 times 1" (v128.const i64x2 0x7ff4000000000001 0xfff4000000000001))
  (v128.const f64x2 nan:arithmetic nan:arithmetic))

(assert_return (invoke "f64x2 by 1" (v128.const i64x2 0x7ff4000000000001 0xfff4000000000001))
  (v128.const f64x2 nan:arithmetic nan:arithmetic))

(assert_return (invoke "f64x2 plus -0" (v128.const i64x2 0x7ff4000000000001 0xfff4000000000001))
  (v128.const f64x2 nan:arithmetic nan:arithmetic))

(assert_return (invoke "f64x2 minus 0" (v128.const i64x2 0x7ff4000000000001 0xfff4000000000001))
  (v128.const f64x2 nan:arithmetic nan:arithmetic))

(assert_return (invoke "f64x2 twice nearest" (v128.const i64x2 0x7ff4000000000001 0xfff4000000000001))
  (v128.const f64x2 nan:arithmetic nan:arithmetic))

(assert_return (invoke "wider and back"
    (v128.const i32x4 0x7fa00001 0xffa00001 0 0))
  (v128.const f32x4 nan:arithmetic nan:arithmetic 0 0))

(assert_return (invoke "f32 times a local" (f32.const nan:0x200001)) (f32.const nan:arithmetic))
(assert_return (invoke "f32 minus a fresh local" (f32.const nan:0x200001)) (f32.const nan:arithmetic))
(assert_return (invoke "f64 minus a fresh local" (f64.const nan:0x4000000000001))
  (f64.const nan:arithmetic))
(assert_return (invoke "f64 times a converted 1" (f64.const nan:0x4000000000001))
  (f64.const nan:arithmetic))
(assert_return (invoke "f64 times a reinterpreted 1" (f64.const nan:0x4000000000001))
  (f64.const nan:arithmetic))
(assert_return (invoke "f64 times a lane" (f64.const nan:0x4000000000001)) (f64.const nan:arithmetic))
(assert_return (invoke "f32 times a lane" (f32.const nan:0x200001)) (f32.const nan:arithmetic))
