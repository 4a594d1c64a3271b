using Stoa.Host;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

public sealed class StartLeftoversTests
{
    private readonly FakeClock clock = new();
    private int collected;

    [Fact]
    public async Task They_are_given_back_once_when_the_host_has_been_ready_for_a_while()
    {
        var ready = new TaskCompletionSource();
        var done = StartLeftovers.GiveBackAsync(ready.Task, clock, () => collected++, CancellationToken.None);
        clock.Advance(StartLeftovers.After);
        Assert.False(done.IsCompleted);

        ready.SetResult();
        await Patience.UntilAsync(() => clock.Waiting == 1);
        clock.Advance(StartLeftovers.After);
        await done;

        Assert.Equal(1, collected);
    }

    [Fact]
    public async Task A_host_that_stops_before_leaves_them()
    {
        using var stopping = new CancellationTokenSource();
        var done = StartLeftovers.GiveBackAsync(Task.CompletedTask, clock, () => collected++, stopping.Token);

        await stopping.CancelAsync();
        await done;

        Assert.Equal(0, collected);
    }
}
