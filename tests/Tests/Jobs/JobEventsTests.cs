using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Api;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

public sealed class JobEventsTests(OuterSite site) : IClassFixture<OuterSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_watcher_sees_progress_and_the_end()
    {
        var (go, done) = (new TaskCompletionSource(), new TaskCompletionSource());
        site.Script.Acts["watched"] = async (context, ct) =>
        {
            context.Report(1, 3, "one of three");
            await go.Task.WaitAsync(ct);
            context.Report(3, 3);
            await done.Task.WaitAsync(ct);
        };
        var id = await site.EnqueueAsync("watched", site.User);
        using var client = site.Client(site.User);
        await using var events = await EventsAsync(client, id);

        var first = await events.UntilAsync(job => (long?)job["progress"]?["done"] == 1);
        Assert.Equal(("running", "one of three"), ((string)first["state"]!, (string)first["progress"]!["note"]!));
        go.SetResult();
        await events.UntilAsync(job => (long?)job["progress"]?["done"] == 3);
        done.SetResult();
        var end = await events.UntilAsync(job => (string)job["state"]! == "succeeded");

        Assert.Equal(("end", 3L), (events.Type, (long)end["progress"]!["done"]!));
        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task A_watcher_who_comes_back_is_told_only_what_is_new_to_him()
    {
        var release = new TaskCompletionSource();
        site.Script.Acts["resumed"] = (_, ct) => release.Task.WaitAsync(ct);
        var id = await site.EnqueueAsync("resumed", site.User);
        using var client = site.Client(site.User);
        string seen;
        await using (var events = await EventsAsync(client, id))
        {
            await events.UntilAsync(job => (string)job["state"]! == "running");
            seen = events.Id!;
        }

        await using (var events = await EventsAsync(client, id, seen))
        {
            release.SetResult();
            Assert.True(await events.MoveNextAsync());
            Assert.Equal(("end", "succeeded"), (events.Type, (string)events.Job["state"]!));
            seen = events.Id!;
        }
        using var over = await SendAsync(client, id, seen);
        using var late = await SendAsync(client, id, "something else");

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.OK), (over.StatusCode, late.StatusCode));
    }

    [Fact]
    public async Task Many_watchers_of_one_job_all_see_its_end_also_those_who_do_not_read()
    {
        var release = new TaskCompletionSource();
        site.Script.Acts["crowd"] = (_, ct) => release.Task.WaitAsync(ct);
        var id = await site.EnqueueAsync("crowd", site.User);
        using var client = site.Client(site.User);
        List<Events> watchers = [];
        for (var watcher = 0; watcher < 20; watcher++)
        {
            watchers.Add(await EventsAsync(client, id));
        }
        release.SetResult();
        await site.UntilAsync(id, "succeeded");

        foreach (var watcher in watchers)
        {
            await watcher.UntilAsync(job => (string)job["state"]! == "succeeded");
            await watcher.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_job_that_is_discarded_ends_its_streams()
    {
        var id = await site.LaterAsync(site.User);
        using var client = site.Client(site.User);
        await using var events = await EventsAsync(client, id);
        Assert.True(await events.MoveNextAsync());

        await site.ScalarAsync<object>($"with gone as (delete from platform.jobs where id = '{id}' returning 1) select 1 from gone");

        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task A_silent_stream_gives_signs_of_life_and_ends_after_a_while()
    {
        var clock = new FakeClock();
        var services = site.Services;
        var watch = services.GetRequiredService<JobWatch>();
        var events = new JobEvents(
            services.GetRequiredService<JobStore>(), watch,
            services.GetRequiredService<Callers>(), services.GetRequiredService<Drain>(), clock);
        using var watcher = watch.Open(await site.LaterAsync(site.User));
        await using var stream = events.StreamAsync(watcher, () => ValueTask.FromResult(true), null, Ct).GetAsyncEnumerator(Ct);
        Assert.True(await stream.MoveNextAsync());
        Assert.Equal("job", stream.Current.EventType);

        foreach (var _ in (int[])[1, 2])
        {
            var next = await AfterAsync(JobEvents.Heartbeat);
            Assert.True(await next);
            Assert.Equal(("heartbeat", null), (stream.Current.EventType, stream.Current.EventId));
        }
        var last = await AfterAsync(JobEvents.Longest);

        // The silence is over before the stream is, both within this one step of the clock: one more sign of life may come.
        Assert.False(await last && stream.Current.EventType is "heartbeat" && await stream.MoveNextAsync());

        async Task<Task<bool>> AfterAsync(TimeSpan silence)
        {
            var next = stream.MoveNextAsync().AsTask();
            // The end of the stream and that of the silence.
            await JobsSite.UntilAsync(() => Task.FromResult(clock.Waiting == 2));
            clock.Advance(silence);
            return next;
        }
    }

    [Fact]
    public async Task A_caller_whose_key_is_revoked_is_told_nothing_more()
    {
        var services = site.Services;
        var keys = services.GetRequiredService<KeyStore>();
        var key = await keys.CreateAsync(Organization.DefaultId, new("short-lived"), "test", Ct);
        await services.GetRequiredService<KeyRingSync>().ReloadAsync(Ct);
        var id = await site.LaterAsync(key);
        using var client = site.Client(key);
        await using var events = await EventsAsync(client, id);
        Assert.True(await events.MoveNextAsync());

        Assert.True(await keys.RevokeAsync(Organization.DefaultId, key.Row.Id, "test", Ct));
        await services.GetRequiredService<KeyRingSync>().ReloadAsync(Ct);
        await services.GetRequiredService<JobActs>().CancelAsync(id, null, "test", Ct);

        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task One_stream_too_many_is_refused_until_another_ends()
    {
        await using var host = await HostUnderTest.StartAsync(add: builder => builder.Services.AddSingleton<Script>()
            .AddJob<Step, StepHandler>("test.step", JobsTestJson.Default.Step));
        var queue = host.Services.GetRequiredService<JobQueue>();
        var id = (await queue.EnqueueAsync(new Step("later"), new() { Delay = TimeSpan.FromHours(1) }, Ct)).Id;
        var watch = host.Services.GetRequiredService<JobWatch>();
        List<JobWatch.Watcher> all = [.. Enumerable.Range(0, JobWatch.MostWatchers).Select(_ => watch.Open(id))];
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "stoa-dev");

        using var refused = await SendAsync(host.Client, id, null);
        all[0].Dispose();
        all[0].Dispose();
        using var accepted = await SendAsync(host.Client, id, null);
        using var again = await SendAsync(host.Client, id, null);

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(10)), (refused.StatusCode, refused.Headers.RetryAfter!.Delta));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (accepted.StatusCode, again.StatusCode));
        all.ForEach(watcher => watcher.Dispose());
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, Guid id, string? lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{OuterSite.Root}/{id}/events");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
    }

    private static async Task<Events> EventsAsync(HttpClient client, Guid id, string? lastEventId = null)
    {
        var answer = await SendAsync(client, id, lastEventId);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        var items = SseParser.Create(await answer.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct);
        return new(answer, items.GetAsyncEnumerator(Ct));
    }

    private sealed class Events(HttpResponseMessage answer, IAsyncEnumerator<SseItem<string>> items) : IAsyncDisposable
    {
        public string Type => items.Current.EventType;

        public string? Id => items.Current.EventId;

        public JsonNode Job => JsonNode.Parse(items.Current.Data)!;

        public async Task<bool> MoveNextAsync()
        {
            while (await items.MoveNextAsync())
            {
                if (Type != "heartbeat")
                {
                    return true;
                }
            }
            return false;
        }

        public async Task<JsonNode> UntilAsync(Func<JsonNode, bool> condition)
        {
            while (await MoveNextAsync())
            {
                if (condition(Job))
                {
                    return Job;
                }
            }
            throw new InvalidOperationException("The stream ended before");
        }

        public async ValueTask DisposeAsync()
        {
            answer.Dispose();
            try
            {
                await items.DisposeAsync();
            }
            catch (Exception broken) when (broken is IOException or HttpRequestException or ObjectDisposedException)
            {
                // It was cut off while it was read.
            }
        }
    }
}
