using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Embeddings;
using Stoa.Gateway.Folders;
using Stoa.Gateway.Models;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Tools;
using Stoa.Gateway.Usage;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Pages;
using Stoa.Platform.Limits;

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
        services.AddMigrations("gateway", typeof(GatewayModule).Assembly);
        services.AddModuleDb<GatewayDb>();
        services.AddJson(GatewayJson.Default);
        services.AddErrorDialect("/v1", OpenAiErrors.Instance);
        services.AddErrorDialect("/v1/messages", AnthropicErrors.Instance);
        foreach (var prefix in (string[])["/api/agent", "/api/versions", "/api/apikeys", "/api/tools", "/api/folder", "/api/service", "/api/models", "/api/utils"])
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
        services.AddSingleton<RawForward>();
        services.AddSingleton<RemoteMedia>();
        services.AddSingleton<Translation>();
        services.AddSingleton<EmbeddingsApi>();

        services.AddSingleton<ServiceRegistry>();
        services.AddSingleton<AgentConfigurations>();
        services.AddScoped<ConfigurationReading>();
        services.AddScoped<ModelStore>();
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
        services.AddHttpClient(KeyCheck.Client).RemoveAllLoggers();
        services.AddScoped<ProviderKeyStore>();

        services.AddSingleton<UsageSpool>();
        services.AddSingleton<UsageStore>();
        services.AddSingleton<UsageQueries>();
        services.AddHostedService<UsageLoader>();
        services.AddSingleton<PriceBook>();
        services.AddSingleton<PriceStore>();
        services.AddHostedService<PriceWatch>();
        return builder;
    }

    public static IEndpointRouteBuilder MapGateway(this IEndpointRouteBuilder routes)
    {
        var openAi = routes.MapGroup("/v1").WithGroupName("gateway").WithErrors(OpenAiErrors.Instance).AllowAnyOrigin().DescribeApiKey(alsoInHeader: true);
        var anthropic = routes.MapGroup("/v1").WithGroupName("gateway").WithErrors(AnthropicErrors.Instance).AllowAnyOrigin().DescribeApiKey(alsoInHeader: true);
        ChatApi.MapOpenAi(openAi);
        ChatApi.MapAnthropic(anthropic);
        EmbeddingsApi.Map(openAi);
        openAi.MapModels();
        anthropic.MapCountTokens();

        var management = routes.MapGroup("").WithGroupName("gateway").WithErrors(ManagementErrors.Instance).AllowAnyOrigin()
            .RequireGtwyCaller(alsoPauthToken: true);
        management.MapAgents();
        management.MapVersions();
        management.MapProviderKeys();
        management.MapServices();
        management.MapModelConfigurations();
        management.MapTools();
        management.MapFolders();

        var own = routes.MapOwnApi();
        own.MapUsage();
        own.MapPrices();
        return routes;
    }
}
