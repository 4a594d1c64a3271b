using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Feedback.Seeds;

namespace Stoa.Tests.Feedback.Seeds;

public sealed class SeedTests(SharedReading shared) : IClassFixture<SharedReading>
{
    [Fact]
    public async Task The_seed_is_put_in_once()
    {
        var site = await shared.FreshAsync();

        var first = await SeedAsync(site);
        var second = await SeedAsync(site);

        Assert.Equal((13, 0), (first, second));
        Assert.Equal(5, await site.AskAsync<long>("select count(*) from feedback.message_tree_state"));
        Assert.Equal(1,
            await site.AskAsync<long>("select count(*) from feedback.user where username = '__dummy_user__' and not show_on_leaderboard"));
        Assert.NotEqual(0, await site.AskAsync<long>("select count(*) from feedback.offer where work = 'reply'"));
        Assert.Empty(await site.BrokenAsync());
    }

    [Fact]
    public async Task A_tree_that_is_to_be_ranked_waits_for_its_replies()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, """
            [{"task_message_id": "t0", "user_message_id": "m0", "text": "Which?", "role": "prompter", "tree_state": "ranking"},
             {"task_message_id": "t1", "user_message_id": "m1", "text": "This", "role": "assistant", "parent_message_id": "m0"},
             {"task_message_id": "t2", "user_message_id": "m2", "text": "That", "role": "assistant", "parent_message_id": "m0"}]
            """, TestContext.Current.CancellationToken);
        var site = await shared.FreshAsync();

        await SeedAsync(site, path);
        File.Delete(path);

        Assert.Equal("ranking", await site.AskAsync<string>("select state from feedback.message_tree_state"));
        Assert.Equal(1, await site.AskAsync<long>("select count(*) from feedback.offer where work = 'ranking'"));
    }

    [Theory]
    [InlineData("[null]", "null")]
    [InlineData("""[{"task_message_id": "t0", "user_message_id": "m0", "text": "Which?", "role": "king"}]""", "role")]
    [InlineData(
        """[{"task_message_id": "t0", "user_message_id": "m0", "text": "Which?", "role": "prompter", "tree_state": "asleep"}]""", "state")]
    public async Task A_seed_that_is_wrong_is_told_and_none_of_it_is_put_in(string seed, string problem)
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, seed, TestContext.Current.CancellationToken);
        var site = await shared.FreshAsync();

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => SeedAsync(site, path));
        File.Delete(path);

        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    /// <param name="path">Instead of the seed that comes with the program.</param>
    private static Task<int> SeedAsync(ReadingSite site, string? path = null)
    {
        site.Host.Services.GetRequiredService<IOptions<SeedOptions>>().Value.Path = path;
        return site.Host.Services.GetRequiredService<SeedData>().SeedAsync(TestContext.Current.CancellationToken);
    }
}
