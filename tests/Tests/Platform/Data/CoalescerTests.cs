using System.Collections.Concurrent;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed class CoalescerTests
{
    private readonly ConcurrentQueue<int[]> groups = [];
    private readonly TaskCompletionSource gate = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Groups => string.Join(" | ", groups.Select(group => string.Join(" ", group)));

    [Fact]
    public async Task What_comes_while_a_group_is_at_work_is_the_next_group()
    {
        var coalescer = Make(largest: 10, atOnce: 1);

        var results = await SendAsync(coalescer, 0, 1, 2, 3, 4);
        gate.SetResult();

        int[] expected = [0, 10, 20, 30, 40];
        Assert.Equal(expected, await Task.WhenAll(results));
        Assert.Equal("0 | 1 2 3 4", Groups);
    }

    [Fact]
    public async Task What_is_taken_back_before_its_group_begins_is_not_done()
    {
        var coalescer = Make(largest: 10, atOnce: 1);
        using var left = new CancellationTokenSource();
        var others = await SendAsync(coalescer, 0, 1);
        var gone = coalescer.RunAsync(2, left.Token);
        var last = coalescer.RunAsync(3, Ct);

        await left.CancelAsync();
        gate.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.Equal(30, await last);
        await Task.WhenAll(others);
        Assert.Equal("0 | 1 3", Groups);
    }

    [Fact]
    public async Task A_group_is_no_larger_than_it_may_be()
    {
        var coalescer = Make(largest: 2, atOnce: 1);

        var results = await SendAsync(coalescer, 0, 1, 2, 3, 4);
        gate.SetResult();
        await Task.WhenAll(results);

        Assert.Equal("0 | 1 2 | 3 4", Groups);
    }

    [Fact]
    public async Task As_many_groups_are_at_work_as_may_be()
    {
        var coalescer = Make(largest: 1, atOnce: 2);

        var results = await SendAsync(coalescer, 0, 1, 2, 3);
        await Patience.UntilAsync(() => groups.Count == 2);
        gate.SetResult();
        await Task.WhenAll(results);

        Assert.Equal(4, groups.Count);
    }

    [Fact]
    public async Task Of_what_is_wrong_with_one_of_a_group_the_others_hear_nothing()
    {
        var coalescer = Make(largest: 10, atOnce: 1);

        var results = await SendAsync(coalescer, 0, 1, -2, 3);
        gate.SetResult();

        await Assert.ThrowsAsync<ArgumentException>(() => results[2]);
        int[] expected = [0, 10, 30];
        Assert.Equal(expected, await Task.WhenAll(results[0], results[1], results[3]));
        Assert.Equal("0 | 1 -2 3 | 1 | -2 | 3", Groups);
        Assert.Equal(50, await coalescer.RunAsync(5, Ct));
    }

    [Fact]
    public async Task Where_nobody_knows_what_was_done_nothing_is_done_again()
    {
        var coalescer = Make(largest: 10, atOnce: 1);

        var results = await SendAsync(coalescer, 0, 1, Lost);
        gate.SetResult();

        await Assert.ThrowsAsync<NpgsqlException>(() => results[1]);
        await Assert.ThrowsAsync<NpgsqlException>(() => results[2]);
        Assert.Equal($"0 | 1 {Lost}", Groups);
    }

    [Fact]
    public async Task What_another_transaction_was_in_the_way_of_is_tried_again()
    {
        var tries = 0;
        var coalescer = new Coalescer<int, int>(
            items => ++tries == 1 ? throw new PostgresException("deadlock detected", "ERROR", "ERROR", "40P01")
            : Task.FromResult<IReadOnlyList<int>>([.. items]),
            largest: 1, atOnce: 1);

        Assert.Equal(7, await coalescer.RunAsync(7, Ct));
        Assert.Equal(2, tries);
    }

    [Fact]
    public async Task No_caller_lends_its_context_to_the_work()
    {
        var local = new AsyncLocal<string?>();
        var seen = new ConcurrentQueue<string?>();
        var coalescer = new Coalescer<int, int>(
            async items =>
            {
                seen.Enqueue(local.Value);
                await Task.Yield();
                seen.Enqueue(local.Value);
                return [.. items];
            }, largest: 1, atOnce: 1);
        local.Value = "the caller's";

        await coalescer.RunAsync(1, Ct);

        string?[] expected = [null, null];
        Assert.Equal(expected, seen);
    }

    private const int Lost = -100;

    private Coalescer<int, int> Make(int largest, int atOnce) => new(
        async items =>
        {
            groups.Enqueue([.. items]);
            await gate.Task;
            return items.Contains(Lost) ? throw new NpgsqlException("The server is gone")
                : items.Any(item => item < 0) ? throw new ArgumentException("No such item")
                : items.Select(item => item * 10).ToList();
        }, largest, atOnce);

    /// <summary>The first alone, the others when it is at work.</summary>
    private async Task<Task<int>[]> SendAsync(Coalescer<int, int> coalescer, int first, params int[] others)
    {
        var own = coalescer.RunAsync(first, Ct);
        await Patience.UntilAsync(() => !groups.IsEmpty);
        return [own, .. others.Select(other => coalescer.RunAsync(other, Ct))];
    }
}
