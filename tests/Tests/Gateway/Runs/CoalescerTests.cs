using Stoa.Gateway.Runs;

namespace Stoa.Tests.Gateway.Runs;

public sealed class CoalescerTests
{
    private readonly List<int[]> groups = [];
    private TaskCompletionSource gate = new();

    private string Groups => string.Join(" | ", groups.Select(group => string.Join(" ", group)));

    [Fact]
    public async Task What_comes_while_a_group_is_at_work_is_the_next_group()
    {
        var coalescer = Make(largest: 10, atOnce: 1);

        var results = Enumerable.Range(0, 5).Select(coalescer.RunAsync).ToArray();
        gate.SetResult();

        int[] expected = [0, 10, 20, 30, 40];
        Assert.Equal(expected, await Task.WhenAll(results));
        Assert.Equal("0 | 1 2 3 4", Groups);
    }

    [Fact]
    public async Task A_group_is_no_larger_than_it_may_be()
    {
        var coalescer = Make(largest: 2, atOnce: 1);

        var results = Enumerable.Range(0, 5).Select(coalescer.RunAsync).ToArray();
        gate.SetResult();
        await Task.WhenAll(results);

        Assert.Equal("0 | 1 2 | 3 4", Groups);
    }

    [Fact]
    public void As_many_groups_are_at_work_as_may_be()
    {
        var coalescer = Make(largest: 10, atOnce: 2);

        _ = Enumerable.Range(0, 5).Select(coalescer.RunAsync).ToArray();

        Assert.Equal("0 | 1", Groups);
    }

    [Fact]
    public async Task What_a_group_throws_each_of_it_hears_and_the_next_one_works()
    {
        var coalescer = Make(largest: 2, atOnce: 1);
        var first = coalescer.RunAsync(-1);
        var second = coalescer.RunAsync(-2);
        var third = coalescer.RunAsync(-3);
        var fourth = coalescer.RunAsync(4);
        gate.SetResult();

        foreach (var failing in new[] { first, second, third })
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => failing);
        }
        Assert.Equal(40, await fourth);
        gate = new();
        gate.SetResult();
        Assert.Equal(50, await coalescer.RunAsync(5));
    }

    [Fact]
    public async Task No_caller_lends_its_context_to_the_work()
    {
        var local = new AsyncLocal<string?>();
        var seen = new List<string?>();
        var coalescer = new Coalescer<int, int>(
            async items =>
            {
                await gate.Task;
                seen.Add(local.Value);
                return [.. items];
            }, largest: 1, atOnce: 1);
        local.Value = "the caller's";

        var running = coalescer.RunAsync(1);
        ThreadPool.UnsafeQueueUserWorkItem(_ => gate.SetResult(), null);
        await running;

        Assert.Null(Assert.Single(seen));
    }

    private Coalescer<int, int> Make(int largest, int atOnce) => new(
        async items =>
        {
            groups.Add([.. items]);
            await gate.Task;
            return items.Any(item => item < 0) ? throw new InvalidOperationException() : items.Select(item => item * 10).ToList();
        }, largest, atOnce);
}
