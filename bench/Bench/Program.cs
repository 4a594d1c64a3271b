using Stoa.Bench;
using Stoa.Bench.Feedback;
using Stoa.Bench.Load;
using Stoa.Bench.Roles;
using Stoa.Bench.Scenarios;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// One executable: the scenarios, and the roles that they start as child processes (upstream, plain, load, feedback-load).
if (!OperatingSystem.IsLinux())
{
    await Console.Error.WriteLineAsync("The benchmarks read /proc and use epoll: they run on Linux only.");
    return 2;
}

switch (args)
{
    case ["upstream", .. var rest]:
        await Upstream.RunAsync(Arguments.Parse(rest));
        return 0;
    case ["plain", .. var rest]:
        await PlainProxy.RunAsync(Arguments.Parse(rest));
        return 0;
    case ["load", .. var rest]:
        await Console.Out.WriteLineAsync(LoadRun.Play(LoadOptions.From(Arguments.Parse(rest))).ToJson());
        return 0;
    case ["feedback-load", .. var rest]:
        await Console.Out.WriteLineAsync(FeedbackLoad.Play(Arguments.Parse(rest)).ToJson());
        return 0;
    case ["list"]:
        foreach (var scenario in Scenario.All)
        {
            await Console.Out.WriteLineAsync($"{scenario.Name,-18}{scenario.Purpose}");
        }
        await Console.Out.WriteLineAsync($"{"table",-18}all of them as a table in Markdown, in about an hour [--only name,name]");
        return 0;
    case ["table", .. var rest]:
        return await Table.PlayAsync(Arguments.Parse(rest)) ? 0 : 1;
    case [var name, .. var rest] when Scenario.All.FirstOrDefault(scenario => scenario.Name == name) is { } chosen:
        return await chosen.PlayAsync(Arguments.Parse(rest)) ? 0 : 1;
    default:
        await Console.Error.WriteLineAsync(
            "Usage: bin/bench list | bin/bench table | bin/bench <name> [--quick true] [--rounds N] [--seconds N] [--warm N]");
        return 2;
}
