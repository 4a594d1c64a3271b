using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Journeys;

/// <summary>Whole ways through the pages in Chromium: by keyboard alone, each page on the way without a finding of axe.</summary>
public sealed class JourneyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_stranger_looks_around() => ChromiumRun.PlayAsync("a_stranger_looks_around");

    [Fact]
    public Task The_keyboard_skips_to_the_content() => ChromiumRun.PlayAsync("skip_to_the_content");

    [Fact]
    public Task Somebody_with_a_key_signs_in_and_out() => ChromiumRun.PlayAsync(
        "sign_in_and_out_with_a_key",
        _ => Task.FromResult<System.Text.Json.Nodes.JsonObject>(new() { ["key"] = HostProcess.DevelopmentKey }));

    [Fact]
    public Task The_first_admin_sets_up_makes_a_key_signs_out_and_in_again() => ChromiumRun.PlayAsync(
        "first_run",
        async host => new() { ["token"] = await host.Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct) });

    [Fact]
    public Task An_operator_looks_at_a_dead_job() => ChromiumRun.PlayAsync("a_dead_job", async host =>
    {
        var job = await DeadJob.AddAsync(host.Services.GetRequiredService<NpgsqlDataSource>(), JobOwner.System, Ct);
        return new() { ["key"] = HostProcess.DevelopmentKey, ["job"] = job.ToString() };
    });
}
