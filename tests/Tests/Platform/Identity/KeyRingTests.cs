using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class KeyRingTests
{
    private readonly FakeClock clock = new();

    [Fact]
    public void A_token_opens_its_own_key()
    {
        var ring = new KeyRing(clock, development: null);
        var (first, firstToken) = MakeKey();
        var (second, secondToken) = MakeKey();
        ring.Replace([first, second]);
        Assert.Same(first, ring.Find(firstToken));
        Assert.Same(second, ring.Find(secondToken));
    }

    [Fact]
    public void Nothing_else_opens_it()
    {
        var ring = new KeyRing(clock, development: null);
        var (key, token) = MakeKey();
        ring.Replace([key]);
        var (_, otherToken) = MakeKey();
        string[] wrong =
        [
            "", "stoa_", "stoa-dev", key.Prefix, token[..^1], token + "x", " " + token, token.ToUpperInvariant(), otherToken,
            token[..18] + otherToken[18..], otherToken[..18] + token[18..], token[..^1] + (token[^1] == 'a' ? 'b' : 'a'),
            token[..^1] + 'é', token[..^1] + '\ud800', new string('a', 100_000), "stoa_" + key.Prefix, key.Prefix + "_" + token[18..],
        ];
        Assert.All(wrong, text => Assert.Null(ring.Find(text)));
    }

    [Fact]
    public void A_key_ends_at_its_instant()
    {
        var ring = new KeyRing(clock, development: null);
        var (key, token) = MakeKey(expires: clock.GetUtcNow() + TimeSpan.FromHours(1));
        ring.Replace([key]);
        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.NotNull(ring.Find(token));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(ring.Find(token));
    }

    [Fact]
    public void A_key_that_is_gone_from_the_table_is_gone_from_the_ring()
    {
        var ring = new KeyRing(clock, development: null);
        var (key, token) = MakeKey();
        ring.Replace([key]);
        ring.Replace([]);
        Assert.Null(ring.Find(token));
    }

    [Fact]
    public void Before_the_keys_are_read_nobody_is_called_a_stranger()
    {
        var ring = new KeyRing(clock, development: null);
        var failure = Assert.Throws<Failure>(() => ring.Find(MakeKey().Token));
        Assert.Equal((FailureKind.Unavailable, false), (failure.Kind, ring.IsLoaded));
    }

    [Fact]
    public void What_was_used_is_told_until_it_is_saved_also_after_a_reload()
    {
        var ring = new KeyRing(clock, development: null);
        var (key, _) = MakeKey();
        ring.Replace([key]);
        ring.Used(key);
        ring.Replace([key with { Name = "renamed" }]);
        var uses = ring.Unsaved();
        Assert.Equal([(key.Id, clock.GetUtcNow())], uses.Select(use => (use.Key.Id, use.At)));
        Assert.Single(ring.Unsaved());
        ring.Saved(uses);
        Assert.Empty(ring.Unsaved());
    }

    [Fact]
    public void What_is_used_while_it_is_saved_is_told_again()
    {
        var ring = new KeyRing(clock, development: null);
        var (key, _) = MakeKey();
        ring.Replace([key]);
        ring.Used(key);
        var uses = ring.Unsaved();
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Used(key);
        ring.Saved(uses);
        Assert.Equal(clock.GetUtcNow(), Assert.Single(ring.Unsaved()).At);
    }

    [Fact]
    public void Asking_allocates_nothing()
    {
        var ring = new KeyRing(TimeProvider.System, development: null);
        var (key, token) = MakeKey(expires: TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(1));
        ring.Replace([key]);
        var stranger = MakeKey().Token;
        Ask();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Ask();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Ask()
        {
            for (var i = 0; i < 1000; i++)
            {
                ring.Find(stranger);
                ring.Used(ring.Find(token)!);
            }
        }
    }

    internal static (ApiKey Key, string Token) MakeKey(DateTimeOffset? expires = null)
    {
        var (token, prefix) = KeyToken.Create();
        var key = new ApiKey(
            Guid.CreateVersion7(), Organization.DefaultId, "a key", prefix, KeyToken.HashOf(token), IsAdmin: false, Models: null,
            Providers: null, RequestsPerMinute: null, TokensPerMinute: null, expires);
        return (key, token);
    }
}
