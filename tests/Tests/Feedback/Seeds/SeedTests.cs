using Microsoft.Extensions.DependencyInjection;
using Stoa.Feedback.Seeds;

namespace Stoa.Tests.Feedback.Seeds;

public sealed class SeedTests
{
    [Fact]
    public async Task The_seed_is_put_in_once()
    {
        await using var site = await ReadingSite.StartAsync();
        var seed = site.Host.Services.GetRequiredService<SeedData>();

        var first = await seed.SeedAsync(TestContext.Current.CancellationToken);
        var second = await seed.SeedAsync(TestContext.Current.CancellationToken);

        Assert.Equal((13, 0), (first, second));
        Assert.Equal(5, await site.AskAsync<long>("select count(*) from feedback.message_tree_state"));
        Assert.Equal(1, await site.AskAsync<long>("select count(*) from feedback.user where username = '__dummy_user__' and not show_on_leaderboard"));
        Assert.NotEqual(0, await site.AskAsync<long>("select count(*) from feedback.offer where work = 'reply'"));
        Assert.Empty(await site.BrokenAsync());
    }
}
