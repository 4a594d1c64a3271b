namespace Stoa.Bench.Scenarios;

/// <summary>From the start of the process to ready, with a new cluster and with an old one.</summary>
internal sealed class StartScenario : Scenario
{
    internal override string Name => "start";

    internal override string Purpose => "time to ready: first start (initdb, migrations) and later ones, on all processors and on one";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var rounds = arguments.Number("rounds", 5);
        await using var product = Product.Prepare();
        yield return new("start.first", (await product.StartAsync()).TotalSeconds, "s", Bound: 15);
        var later = await LaterAsync(product, rounds);
        yield return new("start.later_median", later.Median(), "s", Bound: 3);
        yield return new("start.later_slowest", later.Max(), "s");

        await using var confined = Product.Prepare(Rig.Loopback(1));
        await confined.StartAsync();
        yield return new("start.later_on_one_processor", (await LaterAsync(confined, rounds)).Median(), "s");
    }

    private static async Task<List<double>> LaterAsync(Product product, int rounds)
    {
        var seconds = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            await product.StopAsync();
            seconds.Add((await product.StartAsync()).TotalSeconds);
        }
        return seconds;
    }
}
