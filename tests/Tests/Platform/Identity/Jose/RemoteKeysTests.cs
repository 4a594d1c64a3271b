using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity.Jose;

public sealed class RemoteKeysTests : IAsyncLifetime
{
    private readonly FakeClock clock = new();
    private readonly ServiceProvider services = new ServiceCollection().AddHttpClient().BuildServiceProvider();
    private LoopbackIssuer issuer = null!;
    private RemoteKeys keys = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        issuer = await LoopbackIssuer.StartAsync("one");
        keys = new(services.GetRequiredService<IHttpClientFactory>(), "keys", issuer.Certificates, clock, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        keys.Dispose();
        await services.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_known_key_is_asked_for_once()
    {
        var found = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => keys.FindAsync("one", Ct).AsTask()));

        Assert.All(found, key => Assert.Equal("one", key!.Id));
        Assert.Equal(1, issuer.Hits);
    }

    [Fact]
    public async Task Names_of_keys_that_do_not_exist_are_no_load_on_the_issuer()
    {
        Assert.NotNull(await keys.FindAsync("one", Ct));
        for (var guess = 0; guess < 100; guess++)
        {
            Assert.Null(await keys.FindAsync($"guess-{guess}", Ct));
        }
        Assert.Equal(1, issuer.Hits);

        clock.Advance(RemoteKeys.AskAgainAfter);
        Assert.Null(await keys.FindAsync("guess", Ct));
        Assert.Null(await keys.FindAsync("guess", Ct));
        Assert.Equal(2, issuer.Hits);
    }

    [Fact]
    public async Task A_new_key_is_found_before_the_old_set_is_old()
    {
        Assert.NotNull(await keys.FindAsync("one", Ct));
        issuer.AddKey("two");
        clock.Advance(RemoteKeys.AskAgainAfter);

        Assert.Equal("two", (await keys.FindAsync("two", Ct))!.Id);
    }

    [Theory]
    [InlineData(null, 60)]
    [InlineData("public, max-age=7200", 120)]
    [InlineData("max-age=1", 5)]
    [InlineData("max-age=99999999", 24 * 60)]
    public async Task The_set_is_read_again_when_the_issuer_says_so_within_bounds(string? cacheControl, int minutes)
    {
        issuer.CacheControl = cacheControl;
        Assert.NotNull(await keys.FindAsync("one", Ct));
        issuer.AddKey("two");
        issuer.RemoveKey("one");

        clock.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await keys.FindAsync("one", Ct));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await keys.FindAsync("one", Ct));
    }

    [Fact]
    public async Task An_issuer_who_is_away_leaves_his_known_keys_in_use_and_is_not_pressed()
    {
        Assert.NotNull(await keys.FindAsync("one", Ct));
        issuer.Illness = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        clock.Advance(TimeSpan.FromDays(3));

        Assert.NotNull(await keys.FindAsync("one", Ct));
        Assert.NotNull(await keys.FindAsync("one", Ct));
        Assert.Equal(2, issuer.Hits);
    }

    public static TheoryData<string> Illnesses =>
        ["no json", "[]", "{}", """{"keys":{}}""", """{"keys":[]}""", """{"keys":[{"kty":"RSA"}]}"""];

    [Theory]
    [MemberData(nameof(Illnesses))]
    public async Task What_is_no_key_set_changes_nothing(string answer)
    {
        Assert.NotNull(await keys.FindAsync("one", Ct));
        issuer.Illness = context => context.Response.WriteAsync(answer);
        clock.Advance(TimeSpan.FromDays(1));

        Assert.NotNull(await keys.FindAsync("one", Ct));
    }

    [Fact]
    public async Task An_endless_answer_is_not_read_to_its_end()
    {
        issuer.Illness = async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(new string(' ', 64 * 1024), context.RequestAborted);
            }
        };

        Assert.Equal(FailureKind.Unavailable, (await Assert.ThrowsAsync<Failure>(() => keys.FindAsync("one", Ct).AsTask())).Kind);
    }

    [Fact]
    public async Task Without_any_keys_nobody_can_say_that_a_token_is_wrong()
    {
        issuer.Illness = context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        Assert.Equal(FailureKind.Unavailable, (await Assert.ThrowsAsync<Failure>(() => keys.FindAsync("one", Ct).AsTask())).Kind);

        issuer.Illness = null;
        clock.Advance(RemoteKeys.AskAgainAfter);
        Assert.NotNull(await keys.FindAsync("one", Ct));
    }
}
