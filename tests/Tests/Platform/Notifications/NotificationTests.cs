using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Notifications;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Notifications;

public sealed class NotificationTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_channel_is_told_and_the_others_are_not()
    {
        var told = new ConcurrentQueue<(string Path, string Body)>();
        await using var slack = await SinkAsync(told, 200);
        await using var host = await HostUnderTest.StartAsync(new() { ["Notifications:Slack:AlertWebhook"] = $"{slack.Url}services/T1" });
        var client = host.Services.GetRequiredService<Slack>();

        await client.PostAsync(SlackChannel.Alert, "Grüße *all*", Ct);
        await client.PostAsync(SlackChannel.UserSignup, "nobody listens", Ct);

        var (path, body) = Assert.Single(told);
        Assert.Equal("/services/T1", path);
        Assert.Equal("Grüße *all*", (string?)JsonNode.Parse(body)!["text"]);
        Assert.Equal((true, false), (client.Has(SlackChannel.Alert), client.Has(SlackChannel.UserSignup)));
    }

    [Theory]
    [InlineData(404, "Dead")]
    [InlineData(429, "Retry")]
    public async Task What_Slack_does_not_take_says_what_becomes_of_the_job(int status, string rule)
    {
        await using var slack = await SinkAsync([], status);
        await using var host = await HostUnderTest.StartAsync(new() { ["Notifications:Slack:AlertWebhook"] = slack.Url.AbsoluteUri });

        var failure = await Assert.ThrowsAsync<JobFailure>(
            () => host.Services.GetRequiredService<Slack>().PostAsync(SlackChannel.Alert, "x", Ct));

        Assert.Equal(rule, failure.Rule.ToString());
        Assert.DoesNotContain(slack.Url.Host, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_that_nobody_expected_is_reported_once()
    {
        var told = new ConcurrentQueue<(string Path, string Body)>();
        await using var tracker = await SinkAsync(told, 200);
        await using var host = await HostUnderTest.StartAsync(
            new()
            {
                ["Notifications:Bugsnag:ApiKey"] = "bug-key", ["Notifications:Bugsnag:Url"] = tracker.Url.AbsoluteUri,
                ["Notifications:Bugsnag:ReleaseStage"] = "staging", ["Logging:LogLevel:Default"] = "Error",
            },
            map: app => app.MapGet("/broken", Broken).AllowAnyone());

        await host.Client.GetAsync("/broken?token=secret", Ct);
        await UntilAsync(host, 1);
        await host.Client.GetAsync("/broken?token=secret", Ct);
        await host.RunJobsAsync();

        var notice = JsonNode.Parse(Assert.Single(told).Body)!;
        var report = notice["events"]![0]!;
        Assert.Equal(("bug-key", "5"), ((string?)notice["apiKey"], (string?)notice["payloadVersion"]));
        Assert.Equal("System.InvalidOperationException", (string?)report["exceptions"]![0]!["errorClass"]);
        Assert.Equal("deeper", (string?)report["exceptions"]![1]!["message"]);
        Assert.Contains(report["exceptions"]![0]!["stacktrace"]!.AsArray(),
            frame => ((string)frame!["method"]!).EndsWith(nameof(Broken), StringComparison.Ordinal));
        Assert.Equal(("error", "staging", "GET /broken failed unexpectedly"),
            ((string?)report["severity"], (string?)report["app"]!["releaseStage"], (string?)report["context"]));
        Assert.DoesNotContain("secret", notice.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_is_refused_is_given_up_and_is_no_error_itself()
    {
        await using var tracker = await SinkAsync([], 401);
        await using var host = await HostUnderTest.StartAsync(
            new() { ["Notifications:Bugsnag:ApiKey"] = "wrong",
                ["Notifications:Bugsnag:Url"] = tracker.Url.AbsoluteUri, ["Logging:LogLevel:Default"] = "Error" },
            map: app => app.MapGet("/broken", Broken).AllowAnyone());

        await host.Client.GetAsync("/broken", Ct);
        await UntilAsync(host, 1);
        await host.RunJobsAsync();

        Assert.Equal(1, await CountAsync(
            host, "select count(*) from platform.finished_jobs where kind = 'platform.report_error' and state = 'cancelled'"));
        Assert.Equal(1, tracker.Hits);
    }

    private static string Broken() => throw new InvalidOperationException("outer", new ArgumentException("deeper"));

    private static Task<LoopbackSite> SinkAsync(ConcurrentQueue<(string Path, string Body)> told, int status) =>
        LoopbackSite.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        told.Enqueue(($"{context.Request.Path}", await reader.ReadToEndAsync(Ct)));
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = "3600";
    });

    /// <summary>Until so many reports have become jobs: they are put aside by whoever logs, and taken from there.</summary>
    private static async Task UntilAsync(HostUnderTest host, int reports)
    {
        const string All = """
            select (select count(*) from platform.jobs where kind = 'platform.report_error')
              + (select count(*) from platform.finished_jobs where kind = 'platform.report_error')
            """;
        var started = TimeProvider.System.GetTimestamp();
        while (await CountAsync(host, All) < reports)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Long, "Nothing is reported");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
    }

    private static async Task<long> CountAsync(HostUnderTest host, string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }
}
