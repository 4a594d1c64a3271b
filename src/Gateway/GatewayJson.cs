using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Gateway.Accounts;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Files;
using Stoa.Gateway.History;
using Stoa.Gateway.Metrics;
using Stoa.Gateway.Responses;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.TestCases;
using Stoa.Gateway.Threads;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(EraseDeletedAgents))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(AgentChange))]
[JsonSerializable(typeof(MakeResponse))]
[JsonSerializable(typeof(RunBatch))]
[JsonSerializable(typeof(TidyStored))]
[JsonSerializable(typeof(UsageApi.Sums))]
[JsonSerializable(typeof(Listing<UsageApi.Call>))]
[JsonSerializable(typeof(PricesApi.PriceList))]
[JsonSerializable(typeof(PricesApi.NewPrice))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(Runs.FollowUps.FollowUp))]
[JsonSerializable(typeof(Runs.FollowUps.DescribeAgent))]
[JsonSerializable(typeof(Runs.FollowUps.ConfigureAgent))]
[JsonSerializable(typeof(MetricsQuery))]
[JsonSerializable(typeof(MetricsApi.AgentsQuery))]
[JsonSerializable(typeof(MetricsApi.Answer<MetricsApi.Moment>), TypeInfoPropertyName = "MomentsAnswer")]
[JsonSerializable(typeof(MetricsApi.Answer<MetricsApi.AgentTotal>), TypeInfoPropertyName = "AgentTotalsAnswer")]
[JsonSerializable(typeof(ForgetUsage))]
[JsonSerializable(typeof(BudgetsApi.BudgetList))]
[JsonSerializable(typeof(BudgetsApi.BudgetTerms))]
[JsonSerializable(typeof(SecretsApi.SecretList))]
[JsonSerializable(typeof(SecretsApi.SecretValue))]
[JsonSerializable(typeof(AlertsApi.AlertList))]
[JsonSerializable(typeof(AlertsApi.AlertMade))]
[JsonSerializable(typeof(AlertsApi.AlertGone))]
[JsonSerializable(typeof(AlertsApi.AlertChoice))]
[JsonSerializable(typeof(AlertsApi.AlertTerms))]
[JsonSerializable(typeof(TestCasesApi.CaseMade))]
[JsonSerializable(typeof(TestCasesApi.CaseList))]
[JsonSerializable(typeof(TestCasesApi.CaseChanged))]
[JsonSerializable(typeof(TestCasesApi.CasesGone))]
[JsonSerializable(typeof(TestCasesApi.CasesMissing))]
[JsonSerializable(typeof(TestCasesApi.CaseChoice))]
[JsonSerializable(typeof(TestCasesApi.TestCaseTerms))]
[JsonSerializable(typeof(ThreadsApi.NewThread))]
[JsonSerializable(typeof(ThreadsApi.ThreadMade))]
[JsonSerializable(typeof(ThreadsApi.ThreadList))]
[JsonSerializable(typeof(ResetsApi.Reset))]
[JsonSerializable(typeof(ResetsApi.WasReset))]
[JsonSerializable(typeof(HistoryApi.HistoryPage))]
[JsonSerializable(typeof(HistoryApi.LogPage))]
[JsonSerializable(typeof(HistoryApi.LogList))]
[JsonSerializable(typeof(HistoryApi.OneLog))]
[JsonSerializable(typeof(HistoryApi.BatchCounts))]
[JsonSerializable(typeof(OlderHistoryApi.NewMessage))]
[JsonSerializable(typeof(OlderHistoryApi.Correction))]
[JsonSerializable(typeof(OlderHistoryApi.FeedbackOn))]
[JsonSerializable(typeof(OlderHistoryApi.FineTuneChoice))]
[JsonSerializable(typeof(OlderHistoryApi.Done))]
[JsonSerializable(typeof(OlderHistoryApi.SubThreads))]
[JsonSerializable(typeof(OlderHistoryApi.Changes))]
[JsonSerializable(typeof(Answer<IReadOnlyList<JsonObject>>))]
[JsonSerializable(typeof(Answer<JsonObject>))]
[JsonSerializable(typeof(Answer<CompaniesApi.UserPage>))]
[JsonSerializable(typeof(Answer<CompaniesApi.KeyPage>))]
[JsonSerializable(typeof(Answer<CompaniesApi.Key>))]
[JsonSerializable(typeof(CompaniesApi.NewCompany))]
[JsonSerializable(typeof(CompaniesApi.CompanyChoice))]
[JsonSerializable(typeof(CompaniesApi.NewUser))]
[JsonSerializable(typeof(CompaniesApi.NewKeyTerms))]
[JsonSerializable(typeof(UsersApi.Credentials))]
[JsonSerializable(typeof(UsersApi.SignedIn))]
[JsonSerializable(typeof(UsersApi.TokenAnswer))]
[JsonSerializable(typeof(UsersApi.OrgChoice))]
[JsonSerializable(typeof(UsersApi.UserChoice))]
[JsonSerializable(typeof(UsersApi.Details))]
[JsonSerializable(typeof(UsersApi.Updated))]
[JsonSerializable(typeof(UsersApi.Said))]
[JsonSerializable(typeof(UsersApi.People))]
[JsonSerializable(typeof(UsersApi.KeyInfo))]
[JsonSerializable(typeof(KeyCheckApi.KeyToCheck))]
[JsonSerializable(typeof(KeyCheckApi.CheckedKey))]
internal sealed partial class GatewayJson : JsonSerializerContext;
