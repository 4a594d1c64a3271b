using System.CommandLine;
using System.CommandLine.Help;
using Stoa.Host.Verbs;

namespace Stoa.Tests.Host;

public sealed class SlipsTests
{
    [Theory]
    [InlineData("keys create --name a --rpm abc", "--rpm takes a whole number, not 'abc'.\nSee bin/stoa keys create --help\n")]
    [InlineData("jobs list --state dea",
        "--state takes one of available, running, waiting, parked, succeeded, dead, cancelled, not 'dea'.\nSee bin/stoa jobs list --help\n")]
    [InlineData("jobs list --after x", "--after takes an id, not 'x'.\nSee bin/stoa jobs list --help\n")]
    [InlineData("keys create --rpm 5", "Option '--name' is required.\nSee bin/stoa keys create --help\n")]
    [InlineData("keys revoke", "Required argument missing for command: 'revoke'.\nSee bin/stoa keys revoke --help\n")]
    public void A_slip_is_told_in_words_and_without_a_page_of_help(string line, string told) => Assert.Equal((64, told), Told(line));

    [Theory]
    [InlineData("keys", "Required command was not provided.")]
    [InlineData("keys lst", "Did you mean one of the following?")]
    public void Whoever_names_no_verb_of_many_sees_which_there_are(string line, string told)
    {
        var (code, text) = Told(line);

        Assert.Equal(64, code);
        Assert.Contains(told, text, StringComparison.Ordinal);
        Assert.Contains("bin/stoa keys [command]", text, StringComparison.Ordinal);
        Assert.Contains("Revoke a key on every node", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_right_is_not_spoken_of() => Assert.Equal((null, ""), Told("keys create --name a --rpm 5"));

    private static (int? Code, string Text) Told(string line)
    {
        var stoa = new Command("bin/stoa")
        {
            new HelpOption(), KeysVerb.Create((_, _) => Task.FromResult(0)), JobsVerb.Create((_, _) => Task.FromResult(0)),
        };
        using var error = new StringWriter { NewLine = "\n" };
        return (Slips.Tell(stoa.Parse(line.Split(' ')), error), error.ToString());
    }
}
