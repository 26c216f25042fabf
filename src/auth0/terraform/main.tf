# idbridge's custom database connection for Auth0's Terraform provider, written against its version 1.55.
# It names no connection: give one with -var connection=NAME, whose scripts stand in ../database-connections/NAME.

terraform {
  required_providers {
    auth0 = {
      source  = "auth0/auth0"
      version = "~> 1.55"
    }
  }
}

variable "connection" {
  description = "The connection's name, as given to idbridge auth0 export"
  type        = string
}

variable "enabled_clients" {
  description = "The ids of all applications that use the connection"
  type        = set(string)
  default     = []
}

variable "idbridge_key" {
  description = "The caller's key"
  type        = string
  sensitive   = true
}

variable "idbridge_url" {
  description = "The gateway's address, such as https://idbridge.example.com"
  type        = string
}

resource "auth0_connection" "idbridge" {
  name     = var.connection
  strategy = "auth0"

  options {
    brute_force_protection         = true
    disable_signup                 = true
    enable_script_context          = false # can't be taken back once true
    enabled_database_customization = true
    import_mode                    = true
    requires_username              = false
    strategy_version               = 2

    configuration = {
      IDBRIDGE_KEY = var.idbridge_key
      IDBRIDGE_URL = var.idbridge_url
    }

    custom_scripts = {
      get_user = file("${path.module}/../database-connections/${var.connection}/get_user.js")
      login    = file("${path.module}/../database-connections/${var.connection}/login.js")
    }
  }
}

resource "auth0_connection_clients" "idbridge" {
  connection_id   = auth0_connection.idbridge.id
  enabled_clients = var.enabled_clients
}
