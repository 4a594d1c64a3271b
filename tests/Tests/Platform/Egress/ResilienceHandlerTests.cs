using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Egress;

public sealed class ResilienceHandlerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_is_tried_again_until_it_succeeds()
    {
        await using var site = await SiteAnswering(503, 502, 200);
        using var client = Client();
        using var answer = await client.GetAsync(site.Url, Ct);
        Assert.Equal((HttpStatusCode.OK, 3), (answer.StatusCode, site.Hits));
    }

    [Fact]
    public async Task Retries_end_and_the_last_answer_reaches_the_caller()
    {
        await using var site = await SiteAnswering(503);
        using var client = Client();
        using var answer = await client.GetAsync(site.Url, Ct);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, 3), (answer.StatusCode, site.Hits));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(422)]
    public async Task What_the_caller_did_wrong_is_not_tried_again(int status)
    {
        await using var site = await SiteAnswering(status);
        using var client = Client();
        using var answer = await client.GetAsync(site.Url, Ct);
        Assert.Equal(1, site.Hits);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task A_post_is_sent_twice_only_when_it_says_so(bool says, int hits)
    {
        await using var site = await SiteAnswering(503, 200);
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, site.Url) { Content = new StringContent("body") };
        using var answer = await client.SendAsync(says ? request.MayRepeat() : request, Ct);
        Assert.Equal(hits, site.Hits);
    }

    [Theory]
    [InlineData("0", 2)]
    [InlineData("11", 1)]
    [InlineData("Wed, 21 Oct 2099 07:28:00 GMT", 1)]
    public async Task A_wait_that_the_service_asks_for_is_honoured_or_passed_on(string wait, int hits)
    {
        var asked = 0;
        await using var site = await LoopbackSite.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref asked) == 1 ? 429 : 200;
            context.Response.Headers.RetryAfter = wait;
            return Task.CompletedTask;
        });
        using var client = Client();
        using var answer = await client.GetAsync(site.Url, Ct);
        Assert.Equal(hits, site.Hits);
    }

    [Fact]
    public async Task A_service_that_keeps_failing_is_left_alone()
    {
        await using var site = await SiteAnswering(500);
        using var client = Client(options =>
        {
            options.Retries = 0;
            options.BreakAfter = 4;
        });
        for (var i = 0; i < 4; i++)
        {
            using var answer = await client.GetAsync(site.Url, Ct);
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        }
        var failure = await Assert.ThrowsAsync<Failure>(() => client.GetAsync(site.Url, Ct));
        Assert.Equal((FailureKind.Unavailable, 4), (failure.Kind, site.Hits));
        Assert.InRange(failure.RetryAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_silent_service_is_given_up()
    {
        var (clock, limit) = (new FakeClock(), TimeSpan.FromMinutes(1));
        await using var site = await LoopbackSite.StartAsync(LoopbackSite.UntilGone);
        using var client = Client(options => (options.AttemptTimeout, options.TotalTimeout) = (limit, limit * 10), clock);
        var asking = Assert.ThrowsAsync<Failure>(() => client.GetAsync(site.Url, Ct));
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await Patience.UntilAsync(() =>
            {
                // The wait before the attempt.
                clock.Advance(TimeSpan.FromMilliseconds(1));
                return site.Hits == attempt;
            });
            clock.Advance(limit);
        }
        Assert.Equal((FailureKind.Timeout, 3), ((await asking).Kind, site.Hits));
    }

    private static Task<LoopbackSite> SiteAnswering(params int[] statuses)
    {
        var asked = -1;
        return LoopbackSite.StartAsync(context =>
        {
            context.Response.StatusCode = statuses[Math.Min(Interlocked.Increment(ref asked), statuses.Length - 1)];
            return Task.CompletedTask;
        });
    }

    private static HttpClient Client(Action<ResilienceOptions>? configure = null, TimeProvider? clock = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddEgress().AddEgressClient("service", options =>
        {
            options.FirstDelay = TimeSpan.FromMilliseconds(1);
            configure?.Invoke(options);
        });
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("service");
    }
}
