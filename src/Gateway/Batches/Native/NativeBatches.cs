using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Batches.Native;

/// <summary>
/// Hands batches to the batch API of their provider, where all lines are for one model of it and it has one: cheaper there, and beside the
/// limits of ordinary calls. Whoever has a budget has his batches done here, call by call: it holds exactly.
/// </summary>
internal sealed partial class NativeBatches(
    BatchLines lines, CallGate gate, BudgetGate budgets, NativeLines forms,
    ProviderCatalog providers, IOptions<GatewayOptions> options, ILogger<NativeBatches> logger)
{
    /// <summary>Larger batches are done here, line by line: they would have to be whole in memory.</summary>
    private const long MaxBytes = 64L << 20;

    private const int PageLines = 500;

    /// <summary>The model as <c>provider/model</c> and the provider's id of the batch; null when it is to be done here.</summary>
    public async Task<(string Model, string Id)?> BeginAsync(Batch batch, ApiKey key, CancellationToken ct)
    {
        try
        {
            if (!options.Value.NativeBatches || budgets.Concerns(batch.OrganizationId)
                || await ReadAsync(batch, key, ct) is not var (target, all)
                || IProviderBatchApi.Of(target.Provider, batch.Endpoint) is not { } api)
            {
                return null;
            }
            var written = await WriteAsync(batch, target, all, ct);
            return (target.FullName, await api.CreateAsync(new(target.Provider.Client!), target.Model, EndpointOf(batch), written, ct));
        }
        catch (Failure failure)
        {
            // Whatever is wrong with the lines, each will say so itself.
            LogNotTaken(batch.Id, failure.Code);
            return null;
        }
    }

    public Task<NativeState> StateAsync(Batch batch, CancellationToken ct)
    {
        var (target, api) = Find(batch);
        return api.ReadAsync(new(target.Provider.Client!), batch.ProviderBatchId!, ct);
    }

    public Task CancelAsync(Batch batch, CancellationToken ct)
    {
        var (target, api) = Find(batch);
        return api.CancelAsync(new(target.Provider.Client!), batch.ProviderBatchId!, ct);
    }

    /// <summary>Brings in what there is; lines that have an answer keep it.</summary>
    public async Task CollectAsync(Batch batch, ApiKey key, NativeState state, CancellationToken ct)
    {
        var (target, api) = Find(batch);
        await foreach (var result in api.ResultsAsync(new(target.Provider.Client!), batch.ProviderBatchId!, state, ct))
        {
            if (NativeLine.NumberOf(result.Id) is { } number && await lines.FindOpenAsync(batch.Id, number, ct) is { } line)
            {
                await lines.AnswerAsync(batch.Id, number, await forms.ReadAsync(batch, key, target, line, result), ct);
            }
        }
    }

    private (ModelTarget Target, IProviderBatchApi Api) Find(Batch batch) =>
        batch.Provider is { } model && providers.Find(model) is { Provider.Client: not null } target
        && IProviderBatchApi.Of(target.Provider, batch.Endpoint) is { } api
            ? (target, api)
            : throw Failure.Unavailable("The provider of the batch is not configured any more", TimeSpan.FromMinutes(5));

    /// <summary>The one model of all lines, with the lines; null when there are several, or they are too large.</summary>
    private async Task<(ModelTarget Target, List<BatchLine> Lines)?> ReadAsync(Batch batch, ApiKey key, CancellationToken ct)
    {
        var all = new List<BatchLine>();
        ModelTarget? target = null;
        var bytes = 0L;
        while (true)
        {
            var page = await lines.OpenAsync(batch.Id, all.Count == 0 ? 0 : all[^1].Number, PageLines, ct);
            if (page.Count == 0)
            {
                return target is null ? null : (target, all);
            }
            foreach (var line in page)
            {
                var own = gate.Target(key, RequestOutline.Read(line.Request.Span).ModelName(line.Request.Span));
                target ??= own;
                bytes += line.Request.Length;
                if (own.FullName != target.FullName || bytes > MaxBytes)
                {
                    return null;
                }
            }
            all.AddRange(page);
        }
    }

    private async Task<List<NativeLine>> WriteAsync(Batch batch, ModelTarget target, List<BatchLine> all, CancellationToken ct)
    {
        var written = new List<NativeLine>(all.Count);
        foreach (var line in all)
        {
            written.Add(NativeLine.Of(line.Number, await forms.WriteAsync(batch, target, line, ct)));
        }
        return written;
    }

    /// <summary>Providers take batches in their own dialect only.</summary>
    private static string EndpointOf(Batch batch) => batch.Endpoint == InnerCalls.Embeddings ? batch.Endpoint : InnerCalls.Chat;

    [LoggerMessage(LogLevel.Information, "Batch {Batch} is done line by line: its provider did not take it ({Code})")]
    private partial void LogNotTaken(string batch, string code);
}
