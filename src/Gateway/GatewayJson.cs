using System.Text.Json.Serialization;
using Stoa.Gateway.Usage;

namespace Stoa.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(UsageApi.Sums))]
[JsonSerializable(typeof(UsageApi.Calls))]
[JsonSerializable(typeof(PricesApi.PriceList))]
[JsonSerializable(typeof(PricesApi.NewPrice))]
[JsonSerializable(typeof(Price))]
internal sealed partial class GatewayJson : JsonSerializerContext;
