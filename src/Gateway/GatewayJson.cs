using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Metrics;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(UsageApi.Sums))]
[JsonSerializable(typeof(Listing<UsageApi.Call>))]
[JsonSerializable(typeof(PricesApi.PriceList))]
[JsonSerializable(typeof(PricesApi.NewPrice))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(Runs.FollowUps.FollowUp))]
[JsonSerializable(typeof(MetricsQuery))]
[JsonSerializable(typeof(MetricsApi.AgentsQuery))]
[JsonSerializable(typeof(BudgetsApi.BudgetList))]
[JsonSerializable(typeof(BudgetsApi.BudgetTerms))]
internal sealed partial class GatewayJson : JsonSerializerContext;
