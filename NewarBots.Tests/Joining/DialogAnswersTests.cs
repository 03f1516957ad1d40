using NewarBots.Contract;
using NewarBots.Recorder.Joining;

namespace NewarBots.Tests.Joining;

public sealed class DialogAnswersTests
{
    private static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private DialogAnswers _answers = new(SelectorPack.Embedded);
    private DateTimeOffset _now = Now;

    [Theory]
    [InlineData("Stay in the call", "Leave now", "Stay in the call")]
    [InlineData("Join now", "Leave", "Join now")]
    [InlineData("I'm here", "Hang up", "I'm here")]
    [InlineData("Weiter zuhören", "Leave", "Weiter zuhören")]
    [InlineData("Jetzt teilnehmen", "Verlassen", "Jetzt teilnehmen")]
    [InlineData("Got it", "Sign in", "Got it")]
    [InlineData("Use without an account", "Sign in", "Use without an account")]
    [InlineData("Close", "Learn more", "Close")]
    [InlineData("Cancel", "Leave the call", "Cancel")]
    [InlineData("Stay muted", "Unmute", "Stay muted")]
    [InlineData("Fine", "Fine")]
    [InlineData("Proceed", "Allow microphone", "Proceed")]
    public void Answers_without_leaving(string expected, params string[] buttons)
    {
        Assert.Equal(expected, Next(Dialog(buttons)));
        _answers = new(SelectorPack.Embedded);
        Assert.Equal(expected, Next(Dialog([.. buttons.Reverse()])));
    }

    [Theory]
    [InlineData("Continue", "Close", "Continue")]
    [InlineData("I\u2019m still here", "Close", "I\u2019m still here")]
    [InlineData("No", "Yes", "No")]
    public void Prefers_a_positive_answer_to_closing_the_dialog(string expected, params string[] buttons) =>
        Assert.Equal(expected, Next(Dialog(buttons)));

    [Theory]
    [InlineData("Always allow")]
    [InlineData("Yes, turn on")]
    [InlineData("Use microphone")]
    [InlineData("Enable camera")]
    [InlineData("Add others")]
    [InlineData("Invite")]
    [InlineData("Return to home")]
    [InlineData("Back")]
    [InlineData("End")]
    [InlineData("Withdraw request")]
    [InlineData("Cancel request")]
    [InlineData("Yes")]
    public void Some_buttons_are_never_clicked(string button)
    {
        Assert.Equal("Escape", Next(Dialog(button)));
        Assert.Equal("Proceed", Next(Dialog(button, "Proceed")));
    }

    [Fact]
    public void Yes_answers_the_question_whether_the_guest_is_still_there() =>
        Assert.Equal("Yes", Next(Dialog("Yes", "No") with { Text = "Are you still there?" }));

    [Theory]
    [InlineData("Turn on your microphone to speak", "Not now", "Continue")]
    [InlineData("Let others see you. Your camera is off. Turn on", "No thanks", "OK")]
    [InlineData("Do you want to use your microphone?", "Continue without microphone and camera", "Not now")]
    [InlineData("This call is being recorded, also what your microphone picks up when you turn on sound", "Join now", "Cancel")]
    public void Declines_an_offer_to_turn_on_a_device(string text, string expected, params string[] buttons) =>
        Assert.Equal(expected, Next(Dialog([.. buttons, expected]) with { Text = text }));

    [Theory]
    [InlineData("You are invited to a breakout room", true, "Later")]
    [InlineData("The host moved you to another room", true, "Later")]
    [InlineData("This call is being recorded", true, "Join now")]
    [InlineData("You are invited to a breakout room", false, "Join now")]
    public void Declines_another_room_in_the_call(string text, bool isInCall, string expected)
    {
        var view = View(Dialog("Join now", "Later") with { Text = text });
        if (isInCall)
            view = view with { Matches = [new("leave.button", PageSign.LeaveButton)] };

        Assert.Equal(expected, _answers.Next(view, Now)!.Button!.Name);
    }

    [Fact]
    public void A_panel_with_a_way_back_is_no_question_whether_to_leave() =>
        Assert.Null(Next(Dialog("Back", "More") with { IsModal = false, Text = "Missing somebody?" }));

    [Theory]
    [InlineData("Leave")]
    [InlineData("Leave", "Sign in")]
    [InlineData("Allow microphone", "Turn on camera")]
    [InlineData("Red", "Green")]
    [InlineData("Red", "Green", "Leave")]
    [InlineData]
    public void Presses_Escape_if_no_button_is_safe(params string[] buttons)
    {
        Assert.Equal("Escape", Next(Dialog(buttons)));
        Assert.Null(Next(Dialog(buttons)));
    }

    [Fact]
    public void An_answer_that_changes_nothing_is_not_repeated()
    {
        var dialog = Dialog("Join now", "Leave", "Close");

        Assert.Equal(["Join now", "Close", "Escape", null], (string?[])[Next(dialog), Next(dialog), Next(dialog), Next(dialog)]);

        var other = Dialog("Join now", "Leave", "Proceed");
        Assert.Equal(["Join now", "Proceed", "Escape", null], (string?[])[Next(other), Next(other), Next(other), Next(other)]);
    }

    [Fact]
    public void An_answer_is_a_guess_unless_the_selector_pack_knows_the_dialog()
    {
        Assert.False(_answers.Next(View(Dialog("Stay in the call", "Leave now")), Now)!.IsGuess);
        Assert.False(_answers.Next(View(Dialog("Got it")), Now)!.IsGuess);
        Assert.True(_answers.Next(View(Dialog("Close", "Learn more")), Now)!.IsGuess);
        Assert.True(_answers.Next(View(Dialog("Proceed", "Leave now")), Now)!.IsGuess);
        Assert.True(_answers.Next(View(Dialog("Leave now")), Now)!.IsGuess);

        // The known answer had no effect.
        var view = View(Dialog("Got it", "Leave now"));
        _answers = _answers.WithAnswer(_answers.Next(view, Now)!, Now);
        Assert.True(_answers.Next(view, Now)!.IsGuess);
    }

    [Fact]
    public void A_dialog_that_counts_down_stays_the_same()
    {
        var dialog = Dialog("Join now", "Close");

        Assert.Equal("Join now", Next(dialog with { Text = "Leaving in 60 s" }));
        Assert.Equal("Close", Next(dialog with { Text = "Leaving in 9 s" }));
    }

    [Fact]
    public void An_answer_has_time_to_take_effect()
    {
        var view = View(Dialog("Join now", "Close"));
        _answers = _answers.WithAnswer(_answers.Next(view, Now)!, Now);

        Assert.False(_answers.Next(view, Now.AddSeconds(2))!.IsDue);
        Assert.True(_answers.Next(view, Now.AddSeconds(3))!.IsDue);
    }

    [Fact]
    public void A_dialog_that_comes_back_is_answered_again()
    {
        var view = View(Dialog("Got it"));
        _answers = _answers.WithAnswer(_answers.Next(view, Now)!, Now);
        _answers = _answers.WithView(View()).WithView(view);

        Assert.Equal("Got it", _answers.Next(view, Now)!.Button!.Name);
    }

    [Fact]
    public void Two_equal_dialogs_are_answered_one_after_the_other()
    {
        var both = View(Dialog("Got it"), Dialog("Got it"));
        _answers = _answers.WithAnswer(_answers.Next(both, Now)!, Now).WithView(View(Dialog("Got it")));

        Assert.Equal("Got it", _answers.Next(View(Dialog("Got it")), Now)!.Button!.Name);
    }

    [Fact]
    public void A_dialog_that_is_not_modal_is_answered_only_if_its_button_is_recognized()
    {
        Assert.Null(Next(Dialog("Fine") with { IsModal = false }));
        Assert.Equal("Stay in the call", Next(Dialog("Leave now", "Stay in the call") with { IsModal = false }));
        Assert.Equal("Weiter", Next(Dialog("Leave now", "Weiter") with { IsModal = false, Text = "Still there?" }));
        Assert.Null(Next(Dialog("Leave now", "Weiter") with { IsModal = false }));
        Assert.Null(Next(Dialog("Call settings", "Stay on top") with { IsModal = false }));
        Assert.Equal("I want to stay", Next(Dialog("Leave now", "I want to stay") with { IsModal = false }));
        Assert.Equal("Im Anruf bleiben", Next(Dialog("Anruf verlassen", "Im Anruf bleiben") with { IsModal = false }));
        Assert.Null(Next(Dialog("Join now", "Not here") with { IsModal = false }));
    }

    [Theory]
    [InlineData("Add people", "Leave and join on a phone")]
    [InlineData("Invite", "Leave")]
    [InlineData("Close", "Call settings")]
    [InlineData("Close")]
    [InlineData("Done", "Cancel", "Leave")]
    [InlineData("Stay on top", "Minimize", "Leave")]
    public void A_panel_beside_the_call_is_not_answered(params string[] buttons)
    {
        Assert.Null(Next(Dialog(buttons) with { IsModal = false }));
        Assert.Null(Next(Dialog(buttons) with { IsModal = false, Text = "Missing somebody?" }));
    }

    private string? Next(PageDialog dialog)
    {
        _now += TimeSpan.FromSeconds(3);
        _answers = _answers.WithView(View(dialog));
        if (_answers.Next(View(dialog), _now) is not { } answer)
            return null;
        Assert.True(answer.IsDue);
        _answers = _answers.WithAnswer(answer, _now);
        return answer.Button?.Name ?? "Escape";
    }

    private static PageView View(params PageDialog[] dialogs) => PageView.Nothing with { Dialogs = dialogs };

    private static PageDialog Dialog(params string[] buttons) => new("Something new", IsModal: true, [.. buttons.Select(name =>
    {
        var entry = SelectorPack.Embedded.Entries.FirstOrDefault(known => known.Control == name);
        return new PageButton(name, new(1, 1, Free: true), entry?.Id, entry?.Sign);
    })]);
}
