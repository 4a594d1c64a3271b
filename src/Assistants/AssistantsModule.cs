using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Platform;
using Stoa.Platform.Http;

namespace Stoa.Assistants;

/// <summary>Work in the background for a person: so far, who may call. No route is mapped yet.</summary>
public static class AssistantsModule
{
    public static WebApplicationBuilder AddAssistants(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddErrorDialect("/assistants", MojodexErrors.Instance);
        services.AddErrorDialect("/background", MojodexErrors.Instance);
        services.AddSettings<MojodexAuthOptions>(MojodexAuthOptions.Section);
        services.AddSingleton<IValidateOptions<MojodexAuthOptions>, MojodexAuthOptionsValidator>();
        services.AddSingleton<MojodexTokens>();
        builder.AddAlias("JWT_SECRET", "Assistants:Auth:TokenSecret");
        builder.AddAlias("ENCODING_ALGORITHM", "Assistants:Auth:TokenAlgorithm");
        builder.AddAlias("TOKEN_SECRET_SPLITTER", "Assistants:Auth:SubjectSplitter");
        builder.AddAlias("MOJODEX_SCHEDULER_SECRET", "Assistants:Auth:SchedulerSecret");
        builder.AddAlias("MOJODEX_BACKGROUND_SECRET", "Assistants:Auth:BackgroundSecret");
        builder.AddAlias("BACKOFFICE_SECRET", "Assistants:Auth:BackofficeSecret");
        builder.AddAlias("MOJODEX_WEBAPP_SECRET", "Assistants:Auth:WebappSecret");
        builder.AddAlias("PURCHASE_UPDATER_SOCKETIO_SECRET", "Assistants:Auth:PurchaseUpdaterSecret");
        return builder;
    }

    public static IEndpointRouteBuilder MapAssistants(this IEndpointRouteBuilder routes) => routes;
}
