using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Accounts;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Batches.Agents;
using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Embeddings;
using Stoa.Gateway.Files;
using Stoa.Gateway.Folders;
using Stoa.Gateway.History;
using Stoa.Gateway.Idempotency;
using Stoa.Gateway.Metrics;
using Stoa.Gateway.Models;
using Stoa.Gateway.PassThrough;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Responses;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Trials;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.TestCases;
using Stoa.Gateway.Threads;
using Stoa.Gateway.Tools;
using Stoa.Gateway.Transcriptions;
using Stoa.Gateway.Uploads;
using Stoa.Gateway.Usage;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Limits;
using Stoa.Platform.Pages;
using Stoa.Platform.Privacy;

namespace Stoa.Gateway;

/// <summary>One door to every model: agents, providers, limits, usage and cost.</summary>
public static class GatewayModule
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<GatewayOptions>("Gateway");
        services.AddSingleton<IValidateOptions<GatewayOptions>, GatewayOptionsCheck>();
        builder.AddGtwyAuth();
        builder.AddAlias("Encreaption_key", "Gateway:OriginalKeys:EncryptionKey");
        builder.AddAlias("FIRECRAWL_API_KEY", "Gateway:Crawler:ApiKey");
        builder.AddAlias("Secret_IV", "Gateway:OriginalKeys:SecretIv");
        services.AddMigrations("gateway", typeof(GatewayModule).Assembly);
        services.AddModuleDb<GatewayDb>();
        services.AddJson(GatewayJson.Default);
        services.AddErrorDialect("/v1", OpenAiErrors.Instance);
        services.AddErrorDialect("/v1/messages", AnthropicErrors.Instance);
        foreach (var prefix in (string[])["/api/agent", "/api/versions", "/api/apikeys",
            "/api/tools", "/api/folder", "/api/service", "/api/models", "/api/utils", "/api/batch"])
        {
            services.AddErrorDialect(prefix, ManagementErrors.Instance);
        }
        services.AddPages(typeof(GatewayModule).Assembly, new NavigationEntry("Overview", "/"));

        services.AddSingleton(provider => new InFlight(provider.GetRequiredService<IOptions<GatewayOptions>>().Value.MaxInFlight));
        services.AddSingleton<ProviderCatalog>();
        services.AddSingleton<OpenProviders>();
        services.AddSingleton<CallGate>();
        services.AddSingleton<CallTargets>();
        services.AddSingleton<CallMeter>();
        services.AddSingleton<CallBudget>();
        services.AddSingleton<CallFrame>();
        services.AddSingleton<CallCache>();
        services.AddSingleton<RawForward>();
        services.AddSingleton<RemoteMedia>();
        services.AddSingleton<ModelCalls>();
        services.AddSingleton<Translation>();
        services.AddSingleton<ChatApi>();
        services.AddSingleton<EmbeddingsApi>();
        services.AddSingleton<ResponsesApi>();
        services.AddSingleton<ResponseStore>();
        services.AddSingleton<InnerCalls>();
        services.AddSingleton<ModuleCalls>();
        services.AddSingleton<IModels, InnerModels>();
        services.AddSingleton<IEmbeddings, InnerEmbeddings>();
        services.AddSingleton<ITranscriptions, InnerTranscriptions>();
        services.AddScoped<IModelKeys, BroughtKeys>();
        services.AddSingleton<PassThroughApi>();
        services.AddSingleton<IdempotencyStore>();
        services.AddSingleton<IdempotentCalls>();
        services.AddScoped<FileStore>();
        services.AddScoped<BatchStore>();
        services.AddSingleton<BatchLines>();
        services.AddSingleton<NativeLines>();
        services.AddSingleton<NativeBatches>();
        services.AddScoped<CallBatches>();
        services.AddSingleton<AgentBatchRows>();
        services.AddSingleton<NativeRuns>();
        services.AddSingleton<AgentBatches>();
        services.AddScoped<StartBatch>();
        services.AddJob<RunBatch, RunBatchHandler>("gateway.run_batch", GatewayJson.Default.RunBatch, RunBatchHandler.Rules);
        services.AddJob<TidyStored, TidyStoredHandler>("gateway.tidy_stored", GatewayJson.Default.TidyStored);
        services.AddSchedule("gateway.tidy_stored", new TidyStored(), TidyStoredHandler.Every, MissedRuns.Skip);
        services.AddJob<MakeResponse, MakeResponseHandler>(
            "gateway.make_response", GatewayJson.Default.MakeResponse, MakeResponseHandler.Rules);

        services.AddSingleton<AccountSettings>();
        services.AddSingleton<SignInClients>();
        services.AddScoped<IPersonalData, AccountData>();
        services.AddScoped<RunHistory>();
        services.AddSingleton<IServedAnswers, ServedAnswers>();
        services.AddSingleton<ServiceRegistry>();
        services.AddSingleton<AgentConfigurations>();
        services.AddScoped<ConfigurationReading>();
        services.AddScoped<ModelStore>();
        services.AddJob<EraseDeletedAgents, EraseDeletedAgentsHandler>(EraseDeletedAgents.Kind, GatewayJson.Default.EraseDeletedAgents);
        services.AddSchedule(EraseDeletedAgents.Kind, new EraseDeletedAgents(), "40 3 * * *");
        services.AddScoped<AgentStore>();
        services.AddScoped<VersionStore>();
        services.AddScoped<UpdateAgent>();
        services.AddScoped<CloneAgent>();
        services.AddScoped<AgentGraph>();
        services.AddScoped<References>();
        services.AddScoped<ToolStore>();
        services.AddScoped<PreTools>();
        services.AddScoped<FolderStore>();
        services.AddScoped<ModelUses>();
        services.AddSingleton<KeySeal>();
        services.AddSingleton<KeyCheck>();
        services.AddSingleton<StoredKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<StoredKeys>());
        // Not to wherever an answer points: a key goes to its provider alone.
        services.AddHttpClient(KeyCheck.Client).RemoveAllLoggers()
            .UseSocketsHttpHandler(static (handler, _) => handler.AllowAutoRedirect = false);
        services.AddScoped<ProviderKeyStore>();

        services.AddRuns();

        services.AddSingleton<UsageSpool>();
        services.AddSingleton<UsageStore>();
        services.AddSingleton<UsageQueries>();
        services.AddSingleton<IModelUsage, ModelUsage>();
        services.AddHostedService<UsageLoader>();
        services.AddSingleton<PriceBook>();
        services.AddSingleton<PriceStore>();
        services.AddHostedService<PriceWatch>();

        services.AddJob<ForgetUsage, ForgetUsageHandler>(
            ForgetUsage.Kind, GatewayJson.Default.ForgetUsage, new() { Priority = JobPriority.Low, LateAfter = TimeSpan.FromDays(1) });
        services.AddSchedule(ForgetUsage.Kind, new ForgetUsage(), ForgetUsage.Hourly);

        services.AddSingleton<BudgetBook>();
        services.AddSingleton<BudgetStore>();
        services.AddSingleton<BudgetGate>();
        services.AddSingleton<IModelBudgets, InstallationBudgets>();
        services.AddHostedService<BudgetWatch>();
        services.AddSingleton<SecretVault>();
        services.AddSingleton<DocumentSeal>();
        services.AddSingleton<PublicFiles>();
        services.AddScoped<ThreadUploads>();
        services.AddSingleton<GeminiFiles>();
        services.AddSingleton<VideoUploads>();
        // How long it may take is said there.
        services.AddHttpClient(GeminiFiles.Client, client => client.Timeout = Timeout.InfiniteTimeSpan).RemoveAllLoggers()
            .UseSocketsHttpHandler(static (handler, _) => handler.AllowAutoRedirect = false);
        services.AddSingleton<RunAnalytics>();
        services.AddSingleton<CacheStore>();
        services.AddSingleton<ResponseCache>();
        builder.AddDelivery();
        return builder;
    }

    public static IEndpointRouteBuilder MapGateway(this IEndpointRouteBuilder routes)
    {
        var openAi = routes.MapGroup("/v1").WithGroupName("gateway")
            .WithErrors(OpenAiErrors.Instance).AllowAnyOrigin().DescribeApiKey(alsoInHeader: true);
        var anthropic = routes.MapGroup("/v1").WithGroupName("gateway")
            .WithErrors(AnthropicErrors.Instance).AllowAnyOrigin().DescribeApiKey(alsoInHeader: true);
        ChatApi.MapOpenAi(openAi);
        ChatApi.MapAnthropic(anthropic);
        EmbeddingsApi.Map(openAi);
        ResponsesApi.Map(openAi);
        openAi.MapKeptResponses();
        PassThroughApi.Map(openAi);
        openAi.MapFiles();
        openAi.MapBatches();
        anthropic.MapMessageBatches();
        IdempotentCalls.Use(openAi);
        IdempotentCalls.Use(anthropic);
        openAi.MapModels();
        anthropic.MapCountTokens();
        routes.MapPush();

        var runtime = routes.MapGtwyRuntime();
        RunsApi.Map(runtime);
        runtime.MapTestCaseRuns();
        runtime.MapAgentBatches();
        runtime.MapUploads();
        runtime.MapResets();
        runtime.MapAgentResponses();
        routes.MapPublicFiles();
        routes.MapHealth();

        routes.MapCompanies();
        routes.MapSignIn();
        routes.MapKeyCheck();
        var management = routes.MapGtwyManagement();
        var configuring = management.MapConfiguring();
        configuring.MapAgents();
        configuring.MapVersions();
        configuring.MapProviderKeys();
        configuring.MapModelConfigurations();
        configuring.MapTools();
        configuring.MapFolders();
        configuring.MapWrappers();
        management.MapServices();
        management.MapMetrics();
        management.MapAnalytics();
        management.MapAlerts();
        management.MapTestCases();
        management.MapThreads();
        management.MapHistory();
        management.MapOlderHistory();
        management.MapHandoverHistory();
        management.MapUsers();
        management.MapToolTests();
        management.MapOwnPrompts();
        management.MapRichUiTemplates();
        management.MapHelpers();
        management.MapClients();
        management.MapAgentBatchStates();

        var own = routes.MapOwnApi();
        own.MapUsage();
        own.MapPrices();
        own.MapBudgets();
        own.MapQueue();
        own.MapSecrets();
        return routes;
    }
}
