using System.CommandLine;
using Stoa.Host.Verbs;

namespace Stoa.Tests.Jobs;

public sealed class JobsVerbTests(OuterSite site) : IClassFixture<OuterSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_lists_shows_cancels_and_retries_jobs_of_all_owners()
    {
        var (mine, others) = (await site.LaterAsync(null), await site.LaterAsync(site.OtherUser));

        var list = (await RunAsync("list", "--state", "available", "--kind", "test.step")).Output;
        Assert.Contains($"{mine}  test.step  available, 0 of 3 attempts", list, StringComparison.Ordinal);
        Assert.Contains(others.ToString(), list, StringComparison.Ordinal);
        Assert.Contains("""{"name": "later"}""", (await RunAsync("show", $"{others}")).Output, StringComparison.Ordinal);
        Assert.Equal($"{others} is cancelled", (await RunAsync("cancel", $"{others}")).Output.Trim());
        Assert.Equal($"{others} was finished before", (await RunAsync("cancel", $"{others}")).Output.Trim());
        Assert.Equal($"{mine} runs", (await RunAsync("retry", $"{mine}")).Output.Trim());
        await site.UntilAsync(mine, "succeeded");
        Assert.Equal("cli", await site.ScalarAsync<string>($"select actor from platform.audit where subject = 'job:{others}'"));
    }

    [Fact]
    public async Task An_operator_replays_and_discards_dead_jobs()
    {
        var id = await site.DeadAsync(name: "verb");
        site.Script.Acts["verb"] = (_, _) => Task.CompletedTask;

        var one = await RunAsync("replay", $"{id}", "--arguments", """{"name": "by verb"}""");
        var many = await RunAsync("replay", "--kind", "test.step", "--limit", "1");
        var discarded = await RunAsync("discard", $"{id}");

        Assert.EndsWith("is added", one.Output.Trim(), StringComparison.Ordinal);
        Assert.Equal("1 are added", many.Output.Trim());
        Assert.Equal($"{id} is discarded", discarded.Output.Trim());
    }

    [Fact]
    public async Task An_operator_pauses_kinds_and_schedules()
    {
        Assert.Equal("test.narrow is paused", (await RunAsync("pause", "test.narrow")).Output.Trim());
        Assert.Contains("by cli", (await RunAsync("kinds")).Output, StringComparison.Ordinal);
        Assert.Equal("test.narrow is resumed", (await RunAsync("resume", "test.narrow")).Output.Trim());
        await RunAsync("schedules", "pause", OuterSite.Schedule);
        Assert.Contains("paused", (await RunAsync("schedules")).Output, StringComparison.Ordinal);
        await RunAsync("schedules", "resume", OuterSite.Schedule);
        Assert.EndsWith("is added", (await RunAsync("schedules", "run", OuterSite.Schedule)).Output.Trim(), StringComparison.Ordinal);
        Assert.Contains(
            $"{OuterSite.Schedule}  0 3 1 1 * Europe/Berlin, next ", (await RunAsync("schedules")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "00000000-0000-7000-8000-000000000000")]
    [InlineData("cancel", "00000000-0000-7000-8000-000000000000")]
    [InlineData("show", "one")]
    [InlineData("pause", "nothing")]
    [InlineData("replay")]
    [InlineData("replay", "00000000-0000-7000-8000-000000000000", "--arguments", "{")]
    [InlineData("list", "--state", "lost")]
    [InlineData("schedules", "run", "nothing")]
    public async Task What_cannot_be_done_is_told(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);

        Assert.NotEqual(0, code);
        Assert.NotEqual("", error);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { JobsVerb.Create((work, ct) => work(site.Services, ct)) };
        var code = await root.Parse(["jobs", .. arguments]).InvokeAsync(new() { Output = output, Error = error }, Ct);
        return (code, output.ToString(), error.ToString());
    }
}
