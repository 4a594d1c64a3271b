using Stoa.Platform.Limits;

namespace Stoa.Tests.Platform.Limits;

public sealed class InFlightTests
{
    [Fact]
    public async Task Parallel_callers_never_exceed_the_limit_of_their_owner()
    {
        var calls = new InFlight(limit: 1_000);
        var owner = Guid.CreateVersion7();
        var entered = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => calls.TryEnter(owner, ownerLimit: 7))));
        Assert.Equal(7, entered.Count(inside => inside));
        Assert.Equal(7, calls.Total);
    }

    [Fact]
    public void Who_leaves_makes_room()
    {
        var calls = new InFlight(limit: 1_000);
        var owner = Guid.CreateVersion7();
        Assert.True(calls.TryEnter(owner, 1));
        Assert.False(calls.TryEnter(owner, 1));
        calls.Exit(owner);
        Assert.True(calls.TryEnter(owner, 1));
    }

    [Fact]
    public void All_owners_together_keep_to_the_limit_of_the_process()
    {
        var calls = new InFlight(limit: 2);
        Assert.True(calls.TryEnter(Guid.CreateVersion7(), 10));
        Assert.True(calls.TryEnter(Guid.CreateVersion7(), 10));
        Assert.False(calls.TryEnter(Guid.CreateVersion7(), 10));
        Assert.Equal(2, calls.Total);
    }

    [Fact]
    public void A_refused_owner_takes_no_place_of_the_others()
    {
        var calls = new InFlight(limit: 2);
        var owner = Guid.CreateVersion7();
        Assert.True(calls.TryEnter(owner, 1));
        Assert.False(calls.TryEnter(owner, 1));
        Assert.True(calls.TryEnter(Guid.CreateVersion7(), 1));
    }
}
