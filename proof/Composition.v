(* What a ledger adds up, and what a filter allows. That Gaussian mechanisms compose is
   cited, and enters as a hypothesis: Dong, Roth, Su (2022), and Theorem 7 of the privacy
   proof for releases that are chosen adaptively. *)

From Coq Require Import QArith ZArith List Lia Lqa.
From DP Require Import Constants.
Import ListNotations.
Open Scope Q_scope.

(* ------------------------------------------------------------------ *)
(* The filter. Costs are mu_i^2, rational as float64 numbers are.      *)

Section Filter.
Variable outcome : Type.

(* A fit: what is asked for next depends on all outcomes before. *)
Inductive fit :=
  | Done
  | Release (cost : Q) (next : outcome -> fit).

(* The filter lets a release through only when its cost is left. *)
Fixpoint filtered (left : Q) (p : fit) : fit :=
  match p with
  | Done => Done
  | Release cost next =>
      if Qle_bool 0 cost && Qle_bool cost left
      then Release cost (fun o => filtered (left - cost) (next o))
      else Done
  end.

(* "is mu-GDP", for m = mu^2. *)
Variable gdp : Q -> fit -> Prop.

Hypothesis done_is_gdp : forall m, 0 <= m -> gdp m Done.
(* The cited theorem, for one step: a Gaussian release of mu_1, and whatever follows it,
   which is mu_2-GDP for each of its outcomes, are together sqrt(mu_1^2 + mu_2^2)-GDP. *)
Hypothesis composition : forall cost rest next,
  0 <= cost -> 0 <= rest ->
  (forall o, gdp rest (next o)) -> gdp (cost + rest) (Release cost next).
Hypothesis gdp_equal : forall m m' p, m == m' -> gdp m p -> gdp m' p.

(* (d) Whatever is asked for, in whatever order, what passes the filter is mu-GDP. *)
Theorem filter_is_private p : forall budget, 0 <= budget -> gdp budget (filtered budget p).
Proof.
  induction p as [|cost next IH]; intros budget B; simpl; [apply done_is_gdp; exact B|].
  destruct (Qle_bool 0 cost) eqn:C0; simpl; [|apply done_is_gdp; exact B].
  destruct (Qle_bool cost budget) eqn:C; [|apply done_is_gdp; exact B].
  apply Qle_bool_iff in C0; apply Qle_bool_iff in C.
  apply (gdp_equal (cost + (budget - cost))); [ring|].
  apply composition; [exact C0|lra|].
  intros o; apply IH; lra.
Qed.
End Filter.

(* ------------------------------------------------------------------ *)
(* The sum of squares in float64. `compose_mu` is a `hypot`, which is not rounded up; but
   budgets are rounded down, by far more than it may be off.            *)

Definition sum_of_squares (mus : list Q) : Q := fold_right (fun m s => m * m + s) 0 mus.

Definition round_down : Q := ROUND_DOWN_num # Z.to_pos ROUND_DOWN_den.
(* Of `math.hypot`, and of one product in float64: less than 2**-50 of them. *)
Definition error : Q := 1 # (2 ^ 50).

Theorem ledger_is_not_overspent mus computed budget asked :
  0 <= computed -> 0 <= asked ->
  (* the hypothesis on hypot: what it returns is nearly not below the true root *)
  (1 - error) * (1 - error) * sum_of_squares mus <= computed * computed ->
  computed <= budget ->                 (* what `Ledger.debit` compares *)
  (* how `mu_from_epsilon` rounds *)
  budget <= asked * (round_down * (1 + error)) ->
  sum_of_squares mus <= asked * asked.
Proof.
  intros C A H L R.
  set (s := sum_of_squares mus) in *; clearbody s.
  set (e := (1 - error) * (1 - error)) in *.
  set (r := round_down * (1 + error)) in *.
  assert (E : r * r <= e) by (vm_compute; discriminate).
  assert (E0 : 0 < e) by (vm_compute; reflexivity).
  assert (R0 : 0 <= r) by (vm_compute; discriminate).
  clearbody e r.
  assert (computed <= asked * r) by lra.
  assert (computed * computed <= (asked * r) * (asked * r)) by nra.
  assert ((asked * r) * (asked * r) <= e * (asked * asked)) by nra.
  assert (e * s <= e * (asked * asked)) by lra.
  nra.
Qed.

(* ------------------------------------------------------------------ *)
(* Parts of the records, `parts.py`: shares c_p of a unit's records that add up to at most
   one, and what is spent on each part.                                 *)

Definition time_used (parts : list (Q * Q)) : Q :=
  fold_right (fun p t => fst p * fst p * snd p + t) 0 parts.
Definition shares (parts : list (Q * Q)) : Q := fold_right (fun p t => fst p + t) 0 parts.

Theorem costliest_part_counts parts largest :
  0 <= largest ->
  Forall (fun p => 0 <= fst p /\ 0 <= snd p <= largest) parts ->
  shares parts <= 1 -> time_used parts <= largest.
Proof.
  intros M F S.
  assert (H : 0 <= shares parts /\
              time_used parts <= shares parts * shares parts * largest).
  { clear S; induction F as [|[c s] parts [C [S0 S1]] _ [IH0 IH]]; simpl in *; [lra|].
    split; [lra|].
    set (t := shares parts) in *; set (u := time_used parts) in *; clearbody t u.
    assert (c * c * s <= c * c * largest) by nra.
    assert (0 <= c * t * largest) by (apply Qmult_le_0_compat; [nra|lra]).
    lra. }
  destruct H as [H0 H].
  assert (shares parts * shares parts <= 1) by nra; nra.
Qed.

(* "replace-one": shares a_p of the records that go, and b_p of those that come. What a
   release about part p may be moved by is at most the root of (a_p^2 + b_p^2) / 2 of
   what is stated: (a_p + b_p) / 2 of it, or, for parts with no two summands of negative
   product, just that root.                                             *)

Definition time_replaced (parts : list (Q * Q * Q)) : Q :=
  fold_right (fun p t => let '(a, b, s) := p in (a * a + b * b) / 2 * s + t) 0 parts.
Definition gone (parts : list (Q * Q * Q)) := map (fun p => (fst (fst p), snd p)) parts.
Definition come (parts : list (Q * Q * Q)) := map (fun p => (snd (fst p), snd p)) parts.

Lemma moved_is_below_the_root a b : ((a + b) / 2) * ((a + b) / 2) <= (a * a + b * b) / 2.
Proof.
  assert (E : (a * a + b * b) / 2 ==
              ((a + b) / 2) * ((a + b) / 2) + ((a - b) / 2) * ((a - b) / 2)) by field.
  rewrite E; set (x := (a - b) / 2); clearbody x.
  assert (0 <= x * x) by (destruct (Qlt_le_dec x 0); nra); lra.
Qed.

Theorem costliest_part_counts_replaced parts largest :
  0 <= largest ->
  Forall (fun p => 0 <= fst (fst p) /\ 0 <= snd (fst p) /\ 0 <= snd p <= largest) parts ->
  shares (gone parts) <= 1 -> shares (come parts) <= 1 ->
  time_replaced parts <= largest.
Proof.
  intros M F G C.
  assert (H : time_replaced parts == (time_used (gone parts) + time_used (come parts)) / 2).
  { clear F G C; induction parts as [|[[a b] s] parts IH]; simpl in *; [reflexivity|].
    rewrite IH; field. }
  assert (Hg : time_used (gone parts) <= largest).
  { apply costliest_part_counts; auto; unfold gone; apply Forall_map.
    eapply Forall_impl; [|exact F]; simpl; tauto. }
  assert (Hc : time_used (come parts) <= largest).
  { apply costliest_part_counts; auto; unfold come; apply Forall_map.
    eapply Forall_impl; [|exact F]; simpl; tauto. }
  rewrite H; unfold Qdiv; change (/ 2) with (1 # 2); lra.
Qed.
