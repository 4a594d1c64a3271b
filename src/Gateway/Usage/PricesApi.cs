using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Usage;

/// <summary>What models cost. Prices are the deployment's, so the admins of its organization <c>default</c> keep them.</summary>
internal static class PricesApi
{
    private const decimal MaxPrice = 1_000_000;

    public static void MapPrices(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/prices", ListAsync).WithTags("Prices")
            .RequireCaller(MemberRole.Viewer).WithSummary("List prices with their history");
        routes.MapPost("/prices", AddAsync).WithTags("Prices").RequireOperator()
            .WithSummary("Set a price from a moment on (now, if none is given)");
    }

    internal static async Task<Ok<PriceList>> ListAsync(
        PriceStore prices, CancellationToken ct, string? provider = null, string? model = null) =>
        TypedResults.Ok(new PriceList(await prices.ListAsync(
            provider?.Replace("\0", "", StringComparison.Ordinal), model?.Replace("\0", "", StringComparison.Ordinal), ct)));

    internal static async Task<Created<Price>> AddAsync(NewPrice given, PriceStore prices, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(given.Check());
        var price = new Price(
            given.Provider!, given.Model!, (given.ValidFrom ?? time.GetUtcNow()).ToUniversalTime(),
            given.Input, given.CacheRead ?? given.Input, given.CacheWrite ?? given.Input, given.Output);
        return await prices.AddAsync(price, ct)
            ? TypedResults.Created((string?)null, price)
            : throw new Failure(FailureKind.Conflict, "price_exists", "There is a price for this model from that moment on already");
    }

    internal sealed record PriceList(IReadOnlyList<Price> Items);

    /// <summary>US dollars for a million tokens. Cached tokens cost as much as fresh ones unless said otherwise.</summary>
    internal sealed record NewPrice(
        string? Provider, string? Model, decimal Input, decimal Output, decimal? CacheRead, decimal? CacheWrite, DateTimeOffset? ValidFrom)
    {
        public IEnumerable<FieldError> Check()
        {
            foreach (var (field, text) in ((string, string?)[])[("provider", Provider), ("model", Model)])
            {
                if (string.IsNullOrWhiteSpace(text) || text.Length > 256 || text.Any(char.IsControl))
                {
                    yield return new(field, $"{field} must be a name of at most 256 characters");
                }
            }
            foreach (var (field, price) in ((string, decimal?)[])[("input", Input),
                ("output", Output), ("cache_read", CacheRead), ("cache_write", CacheWrite)])
            {
                if (price is < 0 or > MaxPrice)
                {
                    yield return new(field, $"{field} must be between 0 and {MaxPrice}");
                }
            }
        }
    }
}
