variable "name" {
  description = "Prefix of every resource, and the folder of its parameters."
  type        = string
  default     = "parley"
}

variable "bucket" {
  description = "Name of the media bucket, unique in the world: S3_BUCKET_NAME."
  type        = string
}

variable "public_origins" {
  description = "Origins of the pages that upload from a browser, such as https://chat.example.com."
  type        = list(string)
}

variable "parameters" {
  description = "Values of the secret variables by name. APP_SECRET and DATABASE_URL at least; any variable of Parley may follow."
  type        = map(string)
  sensitive   = true

  validation {
    condition     = contains(keys(var.parameters), "APP_SECRET") && contains(keys(var.parameters), "DATABASE_URL")
    error_message = "APP_SECRET and DATABASE_URL are needed."
  }
}

variable "trusted_services" {
  description = "Who may take the role of the task: ecs-tasks.amazonaws.com on ECS. For IRSA see assume_role_policy."
  type        = list(string)
  default     = ["ecs-tasks.amazonaws.com"]
}

variable "assume_role_policy" {
  description = "A trust policy of your own (JSON), as IRSA on EKS needs it; null takes trusted_services."
  type        = string
  default     = null
}

variable "tags" {
  type    = map(string)
  default = {}
}
