using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Files;
using Stoa.Gateway.Responses;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(MakeResponse))]
[JsonSerializable(typeof(RunBatch))]
[JsonSerializable(typeof(TidyStored))]
[JsonSerializable(typeof(UsageApi.Sums))]
[JsonSerializable(typeof(Listing<UsageApi.Call>))]
[JsonSerializable(typeof(PricesApi.PriceList))]
[JsonSerializable(typeof(PricesApi.NewPrice))]
[JsonSerializable(typeof(Price))]
internal sealed partial class GatewayJson : JsonSerializerContext;
